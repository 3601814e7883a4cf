"""Compatibility levels in words."""

from __future__ import annotations

from tracing.schemas.registry import Level

WORDS = {
    "BACKWARD": "who reads with a new version understands what the last one wrote",
    "BACKWARD_TRANSITIVE": "who reads with a new version understands what all before wrote",
    "FORWARD": "who reads with the last version understands what a new one writes",
    "FORWARD_TRANSITIVE": "who reads with any version understands what a new one writes",
    "FULL": "both directions, with the last version",
    "FULL_TRANSITIVE": "both directions, with every version",
    "NONE": "nothing is checked",
}


def levels() -> list[tuple[str, str]]:
    """Return all levels with their words."""
    return [(level.value, WORDS[level.value]) for level in Level]
