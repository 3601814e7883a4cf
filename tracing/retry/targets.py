"""Where a record may be sent again. Pure: a header never decides alone."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence


class Targets(msgspec.Struct, frozen=True):
    """The allow-list.

    `ingested` are the topics that we read. `patterns` (EVENTVIZ_RETRY_TARGETS: names or shell
    patterns) replace the rule that dead letter and retry topics are left out, which `is_special`
    names; a topic must be known to us in any case.
    """

    ingested: Collection[str]
    patterns: Sequence[str]
    is_special: Callable[[str], bool]

    def allow(self, topic: str) -> bool:
        """Tell whether a topic may be sent to."""
        if topic not in self.ingested or topic.startswith("__"):
            return False
        if self.patterns:
            return any(fnmatch.fnmatchcase(topic, pattern) for pattern in self.patterns)
        return not self.is_special(topic)

    def names(self) -> list[str]:
        """Return all topics that may be sent to, sorted."""
        return sorted(topic for topic in self.ingested if self.allow(topic))


class Target(msgspec.Struct, frozen=True):
    """A topic and its partition; `partition` None: the key decides. `refused` says why not."""

    topic: str
    partition: int | None
    refused: str = ""


def target_of(
    targets: Targets,
    *,
    stored_in: str,
    partition: int,
    source: tuple[str, int | None] | None,
    wanted: str,
    partitions: Callable[[str], Collection[int]],
) -> Target:
    """Return where a record goes.

    `wanted` is the topic that a person chose, '' for none: then where it came from, which for a
    dead letter is `source`, the (topic, partition) that its failure names, if the allow-list has
    it. The original partition if the topic still has it (`partitions`), else the key's.
    """
    came_from = source or (stored_in, partition)
    topic = wanted or came_from[0]
    if not targets.allow(topic):
        return Target(topic, None, f"{topic} is not among the topics that may be sent to")
    number = came_from[1] if topic == came_from[0] else None
    there = number is not None and number in partitions(topic)
    return Target(topic, number if there else None)
