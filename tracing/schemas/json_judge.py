"""Why a JSON Schema may not follow another one: the verdict is a library's, the words are ours.

Who reads with a schema understands what was written by another one if it takes every value that
the other takes. `jsonschema-rs` proves that in a child process (`covering`), which ends in time.
Where it can prove neither, values are tried: one that fits the writer's schema and not the reader's
disproves it, and is the best reason. What is neither proved nor disproved is left open.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tracing.codec.formats.schema import Schema
from tracing.domain.text import clean
from tracing.schemas.checking import UncheckableError, check, validator_of
from tracing.schemas.parsing import parse_json
from tracing.schemas.trying import tries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.schemas.compatibility import Candidate
    from tracing.schemas.registry import Level

# All proofs of one question, the start of the process with them.
BUDGET_S = 5.0
# Values that are tried, and so long.
MAX_TRIES = 2_000
_TRYING_S = 1.0
_MAX_EXAMPLE = 200
_MAX_FINDINGS = 3
_SCRIPT = Path(__file__).with_name("covering.py")


class Said(msgspec.Struct, frozen=True):
    """What breaks, one sentence each; and the versions of which neither was proved."""

    reasons: list[str]
    unsure: list[str]


def judged(level: Level, new: Candidate, old: Sequence[Candidate]) -> Said:
    """Tell why `new` may not follow the versions `old`. Takes some `BUDGET_S` at most."""
    pairs: list[tuple[Candidate, Candidate]] = []
    for one in old:
        pairs += [(new, one)] if level.backward else []
        pairs += [(one, new)] if level.forward else []
    reasons: list[str] = []
    unsure: list[str] = []
    deadline = time.monotonic() + _TRYING_S
    for (reader, writer), proved in zip(pairs, _proved(pairs), strict=True):
        if proved == "yes":
            continue
        found = _disproved(reader, writer, deadline)
        if not found and proved == "no":
            found = [f"There are values that {writer.label} takes and {reader.label} does not."]
        reasons += found
        if not found:
            unsure.append(f"{reader.label} takes all that {writer.label} takes")
    return Said(reasons, unsure)


def _proved(pairs: Sequence[tuple[Candidate, Candidate]]) -> list[str]:
    """Return yes, no or unknown for each (reader, writer)."""
    texts = {name: text for pair in pairs for one in pair for name, text in one.built_on}
    asked = {
        "pairs": [[parse_json(one.text) for one in pair] for pair in pairs],
        "others": {name: parse_json(text) for name, text in texts.items()},
    }
    command = [sys.executable, "-I", str(_SCRIPT)]
    try:
        ran = subprocess.run(
            command, input=msgspec.json.encode(asked), capture_output=True, timeout=BUDGET_S
        )
        said = ran.stdout
    except subprocess.TimeoutExpired as late:
        said = late.stdout or b""
    lines = said.decode("ascii", "replace").split()
    return [*lines, *(len(pairs) - len(lines)) * ["unknown"]][: len(pairs)]


def _disproved(reader: Candidate, writer: Candidate, deadline: float) -> list[str]:
    """Return what is wrong with a value that fits the writer's schema and not the reader's."""
    mine, theirs = (Schema(one.type, one.text, one.built_on) for one in (reader, writer))
    values = tries(parse_json(writer.text), parse_json(reader.text))
    try:
        fits, takes = validator_of(theirs), validator_of(mine)
        for value in itertools.islice(values, MAX_TRIES):
            if fits.is_valid(value) and not takes.is_valid(value):
                return _words(value, check(mine, msgspec.json.encode(value)), reader, writer)
            if time.monotonic() > deadline:
                break
    except (UncheckableError, ValueError, RecursionError):
        pass
    return []


def _words(value: Any, findings: Any, reader: Candidate, writer: Candidate) -> list[str]:
    example = clean(msgspec.json.encode(value).decode(), _MAX_EXAMPLE)
    broken = [one for one in findings if one.listed][:_MAX_FINDINGS]
    return [
        f"{f'`{one.path}`' if one.path else 'The value'} {one.reason} for {reader.label}, and"
        f" {writer.label} takes that: {example}"
        for one in broken
    ]
