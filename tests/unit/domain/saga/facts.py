"""Facts for tests: what happened, in a line."""

from __future__ import annotations

from tracing.domain.facts import Fact
from tracing.domain.text import digest16


def fact(event_type: str, at_s: float, *, event: str = "", offset: int | None = None) -> Fact:
    """Return an event of a type at a second; two of one type are two events by their time."""
    at_us = round(at_s * 1_000_000)
    return Fact(
        topic="events",
        partition=0,
        offset=at_us if offset is None else offset,
        part=0,
        event=digest16(event or f"{event_type}@{at_us}"),
        cause=None,
        type=event_type,
        service="",
        time_us=at_us,
        timestamp_ms=at_us // 1_000,
        key=None,
        record=at_us if offset is None else offset,
    )


def facts(text: str) -> list[Fact]:
    """Return one fact a word, a second apart from 0 on; `Type@2.5` says its second."""
    found = []
    for number, word in enumerate(text.split()):
        name, _, at = word.partition("@")
        found.append(fact(name, float(at) if at else number))
    return found
