"""Which topics are read, and where an unknown one begins. Pure rules over settings."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.errors import EventvizError

if TYPE_CHECKING:
    from collections.abc import Sequence

_AGE = re.compile(r"^-(\d+)([smhd])$")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class BadStartError(EventvizError):
    """EVENTVIZ_KAFKA_START is earliest, latest or an age such as -15m, -1h or -7d."""


class Start(msgspec.Struct, frozen=True):
    """Where an unknown topic begins: at its first record, its end, or an age ago."""

    kind: str
    age_ms: int = 0


def parse_start(text: str) -> Start:
    """Return the start that a setting names. Raises BadStartError."""
    if text in {"earliest", "latest"}:
        return Start(text)
    match = _AGE.match(text)
    if match is None:
        raise BadStartError(f"Not {text!r}.")
    return Start("age", int(match[1]) * _UNIT_MS[match[2]])


def wanted(topic: str, patterns: Sequence[str]) -> bool:
    """Tell whether a topic is read: it matches a pattern and none that begins with `!`.

    Names that begin with two underscores are Kafka's and its tools' own; only their exact name
    selects them.
    """
    if any(fnmatch.fnmatchcase(topic, pattern[1:]) for pattern in patterns if pattern[0] == "!"):
        return False
    if topic.startswith("__"):
        return topic in patterns
    return any(fnmatch.fnmatchcase(topic, pattern) for pattern in patterns if pattern[0] != "!")
