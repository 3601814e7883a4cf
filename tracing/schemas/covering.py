"""Whether one JSON Schema takes every value that another one takes: a child process' whole life.

Read from stdin as JSON: {"pairs": [[taking, taken], ...], "others": {name: schema}}; written for
each pair: a line with yes, no or unknown. `jsonschema-rs` proves it by its normal form of schemas;
hostile ones take it long, so `json_judge` gives this process a few seconds. Imports nothing of us.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import jsonschema_rs

BASE = "registry:///"


def main() -> None:
    """Answer pair by pair, so that what is slow takes nothing from those before it."""
    said = json.load(sys.stdin)
    for taking, taken in said["pairs"]:
        print(covers(taking, taken, said["others"]), flush=True)  # noqa: T201 - our answer


def covers(taking: Any, taken: Any, others: dict[str, Any]) -> str:
    """Return yes, no or unknown; only the first two are proved."""

    def retrieve(uri: str) -> Any:
        return others[uri.removeprefix(BASE)]

    try:
        forms = [
            jsonschema_rs.canonicalize(one, retriever=retrieve, base_uri=BASE)
            for one in (taking, taken)
        ]
        return str(forms[0].covers(forms[1]))
    except (ValueError, TypeError, LookupError, RecursionError, jsonschema_rs.ReferencingError):
        # What has no normal form, or leads out: not for us to tell.
        return "unknown"


if __name__ == "__main__":
    main()
