"""Who caused whom within one flow, and what is odd about it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.failure import Tier
from tracing.domain.marks import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.domain.facts import Fact, Place


class Edge(msgspec.Struct, frozen=True):
    """A cause and its effect, by event digest; the latency may be negative (clock skew)."""

    cause: bytes
    effect: bytes
    latency_us: int


def canonical(facts: Iterable[Fact]) -> dict[bytes, Fact]:
    """Return *the* record of each event.

    One on an ordinary topic before a copy on a retry or dead letter topic, then the earliest by
    Kafka's time, then by coordinates.
    """
    chosen: dict[bytes, Fact] = {}
    for fact in facts:
        best = chosen.get(fact.event)
        if best is None or _claim(fact) < _claim(best):
            chosen[fact.event] = fact
    return chosen


def _claim(fact: Fact) -> tuple[int, int, Place]:
    return (fact.tier, fact.timestamp_ms, fact.place)


def dead(facts: Iterable[Fact]) -> list[Fact]:
    """Return the last dead letter of each event that has none but older attempts beside it.

    An event whose newest copy stands on an ordinary or a retry topic is on its way again.
    """
    newest: dict[bytes, Fact] = {}
    died: set[bytes] = set()
    for fact in facts:
        best = newest.get(fact.event)
        if best is None or (fact.timestamp_ms, fact.place) > (best.timestamp_ms, best.place):
            newest[fact.event] = fact
        if fact.tier == Tier.DEAD:
            died.add(fact.event)
    return [newest[event] for event in died if newest[event].tier == Tier.DEAD]


def edges(events: dict[bytes, Fact]) -> list[Edge]:
    """Return the edges inside the flow, in the order of the effects' time and place."""
    found = []
    for fact in sorted(events.values(), key=lambda fact: (fact.time_us, fact.place)):
        cause = events.get(fact.cause) if fact.cause else None
        if cause is not None and cause is not fact:
            found.append(Edge(cause.event, fact.event, fact.time_us - cause.time_us))
    return found


def marks(facts: Iterable[Fact], events: dict[bytes, Fact]) -> dict[bytes, Mark]:
    """Return the marks of every event that has one.

    Duplicate: one event id in several records, attempts aside. Missing cause: the cause is not in
    this flow. Out of order: a later offset of the same key and partition with an earlier event
    time, or an effect before its cause. The order of arrival plays no part.
    """
    found: dict[bytes, Mark] = {}

    def add(event: bytes, mark: Mark) -> None:
        found[event] = found.get(event, Mark(0)) | mark

    for fact in facts:
        if fact is not events[fact.event] and not fact.tier:
            add(fact.event, Mark.DUPLICATE)
    for fact in events.values():
        if fact.undecodable:
            add(fact.event, Mark.UNDECODABLE)
        if fact.cause is not None:
            cause = events.get(fact.cause)
            if cause is None:
                add(fact.event, Mark.MISSING_CAUSE)
            elif fact.time_us < cause.time_us:
                add(fact.event, Mark.OUT_OF_ORDER)
    for event in _late_in_partition(events):
        add(event, Mark.OUT_OF_ORDER)
    return found


def _late_in_partition(events: dict[bytes, Fact]) -> Iterable[bytes]:
    """Yield the events written behind a younger one of their key and partition."""
    keyed = sorted(
        (fact.topic, fact.partition, fact.key, fact.offset, fact.part, fact.time_us, fact.event)
        for fact in events.values()
        # What waits or died was written when it failed, not when it happened.
        if fact.key is not None and not fact.tier
    )
    newest = 0
    for before, here in pairwise(keyed):
        if before[:3] != here[:3]:
            newest = 0
            continue
        newest = max(newest, before[5])
        if here[5] < newest:
            yield here[6]
