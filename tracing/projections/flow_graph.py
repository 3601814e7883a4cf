"""One flow with all that its page draws."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.causality import Edge, canonical, edges
from tracing.domain.text import clean, digest16, hash64
from tracing.projections import packing
from tracing.projections.event_reading import StoredEvent, stored
from tracing.projections.event_rows import Row
from tracing.projections.events import of_flows, with_ids
from tracing.projections.flow_deaths import Death, deaths_of
from tracing.projections.flow_reading import FlowColumns, FlowLine, lines_of
from tracing.projections.log_reading import head
from tracing.projections.names import names
from tracing.projections.plain_sql import select

if TYPE_CHECKING:
    from collections.abc import Iterable

# More cards than this help nobody; the page says how many there are.
MAX_DRAWN = 500


class Link(msgspec.Struct, frozen=True):
    """A cause and its effect, by event id; the latency may be negative (clock skew)."""

    cause: str
    effect: str
    latency_us: int


class FlowDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A flow as drawn.

    `events` are the canonical ones by time and place, `shown` of `total`. `outside` maps the
    causes that are not in this flow to the flow that has them. `position` is the log's when read.
    `deaths` are its dead letters.
    """

    line: FlowLine
    events: tuple[StoredEvent, ...]
    links: tuple[Link, ...]
    topics: tuple[str, ...]
    services: tuple[str, ...]
    shown: int
    total: int
    outside: dict[str, str]
    position: int
    deaths: tuple[Death, ...] = ()

    @property
    def dead(self) -> dict[str, list[Death]]:
        """Return the dead letters that are open, by event id, the first one first."""
        found: dict[str, list[Death]] = {}
        for death in reversed(self.deaths):
            if death.open:
                found.setdefault(death.event_id, []).append(death)
        return found


class Found(FlowColumns, frozen=True, gc=False):
    """A flow's row with its facts."""

    facts: bytes | memoryview


def find_flow(correlation_id: str) -> Found | None:
    """Return the flow's row: an index look-up by hash, decided by the full id.

    The id may stand as its producer wrote it: NUL and great length are taken as when it was stored.
    """
    wanted = clean(correlation_id)
    rows = select(
        Found.__struct_fields__,
        "tracing_flow",
        "correlation_hash = %s AND correlation_id = %s",
        (hash64(wanted), wanted),
    )
    return Found(*rows[0]) if rows else None


def read_flow(correlation_id: str) -> FlowDetail | None:
    """Return a flow, None when nothing of it is stored. Costs six look-ups by key."""
    position = head().position
    flow = find_flow(correlation_id)
    if flow is None:
        return None
    facts = packing.unpack(packing.load(flow.facts).facts, names())
    events = canonical(facts)
    rows = _rows(flow, {(fact.record, fact.part) for fact in events.values()})
    items = sorted(stored(rows), key=lambda item: (item.event.time_us, _place(item)))
    shown = items[:MAX_DRAWN]
    found_edges = edges(events) if events else _edges_between(shown)
    return FlowDetail(
        line=lines_of([flow], rows)[0],
        events=tuple(shown),
        links=_links(shown, found_edges),
        topics=tuple(sorted({item.event.topic for item in items})),
        services=tuple(sorted({item.event.service for item in items if item.event.service})),
        shown=len(shown),
        total=flow.events,
        outside=_outside(shown),
        position=position,
        deaths=deaths_of(flow.id),
    )


def _rows(flow: Found, canonical_parts: set[tuple[int, int]]) -> list[Row]:
    """Return the rows to draw: the canonical records, or the first ones of a large flow."""
    if canonical_parts:
        return [row for row in of_flows([flow.id]) if (row.record, row.part) in canonical_parts]
    return of_flows([flow.id], limit=MAX_DRAWN)


def _place(item: StoredEvent) -> tuple[str, int, int, int]:
    event = item.event
    return (event.topic, event.partition, event.offset, event.part)


def _edges_between(items: Iterable[StoredEvent]) -> list[Edge]:
    """Return the edges among the drawn part of a large flow, whose facts are not kept."""
    by_id = {item.event.event_id: item.event for item in items}
    return [
        Edge(
            digest16(event.causation_id),
            digest16(event.event_id),
            event.time_us - by_id[event.causation_id].time_us,
        )
        for event in by_id.values()
        if event.causation_id and event.causation_id in by_id
        if event.causation_id != event.event_id
    ]


def _links(items: Iterable[StoredEvent], found: Iterable[Edge]) -> tuple[Link, ...]:
    ids = {digest16(item.event.event_id): item.event.event_id for item in items}
    return tuple(
        Link(ids[edge.cause], ids[edge.effect], edge.latency_us)
        for edge in found
        if edge.cause in ids and edge.effect in ids
    )


def _outside(items: Iterable[StoredEvent]) -> dict[str, str]:
    """Return causes that another flow has, with that flow's correlation id. One query."""
    items = list(items)
    inside = {item.event.event_id for item in items}
    wanted = {
        item.event.causation_id
        for item in items
        if item.event.causation_id and item.event.causation_id not in inside
    }
    if not wanted:
        return {}
    found = sorted(with_ids(wanted), key=attrgetter("timestamp_ms"), reverse=True)
    own = items[0].event.correlation_id
    return {
        row.event_id: row.flow__correlation_id
        for row in found[: 10 * MAX_DRAWN]
        if row.flow__correlation_id != own
    }
