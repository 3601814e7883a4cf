"""Which event types a subject is of, by its name and its schema's. Pure."""

from __future__ import annotations

import re

_NAME = re.compile(r'"(?:name|title)"\s*:\s*"([^"\\]{1,200})"')
# The ways in which serializers name subjects after topics.
_SUFFIXES = ("-value", "-key")


def types_of(name: str, head: str) -> list[str]:
    """Return the event types that a subject may be of: as it is named, as its schema is."""
    bare = next((name.removesuffix(end) for end in _SUFFIXES if name.endswith(end)), name)
    found = _NAME.search(head.partition('"fields"')[0].partition('"properties"')[0])
    parts = [name, bare, bare.rpartition("-")[2], bare.rpartition(".")[2]]
    return list(dict.fromkeys([*parts, found[1] if found else name]))
