"""Single events and pages of them, with the marks that their flow gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.domain.causality import canonical, marks
from tracing.domain.event import Event
from tracing.domain.failure import Tier
from tracing.domain.rules import Role
from tracing.domain.text import clean, digest16
from tracing.models import Node
from tracing.models.source import coordinates_of
from tracing.projections import events, packing
from tracing.projections.dead_letters import tiers
from tracing.projections.event_rows import Row
from tracing.projections.names import names
from tracing.projections.plain_sql import among, select
from tracing.projections.saga_decisions import applied_sagas
from tracing.projections.sieve import sieve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracing.domain.facts import Fact

# A filter without an index looks at this many events at most, then offers to go on.
MAX_TESTED = 5_000
_CHUNK = 500
# Behind every position.
_NO_BORDER = (1 << 63) - 1
# The same event id in more flows than this is a producer's constant, not an id.
MAX_SAME_ID = 50


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as pages and JSON show it, without its bytes.

    `marks` are derived from its flow's facts. Of the other records with this event id,
    `redeliveries` are the coordinates of those on ordinary topics, `attempts` those of copies in
    retry and dead letter topics and of what eventviz sent again, each with what it is, by time.
    `role` is what its type says.
    """

    position: int
    record: int
    flow: int
    event: Event
    marks: int
    redeliveries: tuple[str, ...]
    attempts: tuple[tuple[str, Tier], ...] = ()
    role: Role = Role.PLAIN


class EventPage(msgspec.Struct, frozen=True):
    """Events; `next_before` continues a listing to the past, None at its end."""

    events: tuple[StoredEvent, ...]
    next_before: int | None
    tested: int


def stored(rows: Sequence[Row]) -> list[StoredEvent]:
    """Return rows with marks and redeliveries. At most one query, for facts of flows with any."""
    names().pairs(row.node_id for row in rows)
    odd = {row.flow_id for row in rows if row.needs_facts}
    flows = select(("id", "facts"), "tracing_flow", among("id", odd), odd) if odd else ()
    seen = {flow_id: _Seen(facts) for flow_id, facts in flows}
    roles = applied_sagas().roles
    return [
        StoredEvent(
            position=row.position,
            record=row.record,
            flow=row.flow_id,
            event=event,
            marks=found.marks_of(row.event_id) if found else 0,
            redeliveries=found.redeliveries(row.event_id, row.record) if found else (),
            attempts=found.attempts(row.event_id, row.record) if found else (),
            role=roles.of(event.type),
        )
        for row in rows
        for event, found in ((_event(row), seen.get(row.flow_id)),)
    ]


class _Seen:
    """What a flow's facts say of its events."""

    def __init__(self, facts: bytes | memoryview) -> None:
        held = packing.load(facts)
        self._facts = packing.unpack(held.facts, names())
        self._marks = marks(self._facts, canonical(self._facts))

    def marks_of(self, event_id: str) -> int:
        return int(self._marks.get(digest16(event_id), 0))

    def redeliveries(self, event_id: str, record: int) -> tuple[str, ...]:
        others = [fact for fact in self._others(event_id, record) if not fact.tier]
        return tuple(_coordinates(fact) for fact in sorted(others, key=lambda one: one.place))

    def attempts(self, event_id: str, record: int) -> tuple[tuple[str, Tier], ...]:
        others = [fact for fact in self._others(event_id, record) if fact.tier]
        others.sort(key=lambda fact: (fact.timestamp_ms, fact.place))
        return tuple((_coordinates(fact), Tier(fact.tier)) for fact in others)

    def _others(self, event_id: str, record: int) -> Iterator[Fact]:
        event = digest16(event_id)
        return (fact for fact in self._facts if fact.event == event and fact.record != record)


def _coordinates(fact: Fact) -> str:
    return f"{fact.topic}[{fact.partition}]@{fact.offset}"


def _event(row: Row) -> Event:
    partition_id, offset = coordinates_of(row.record)
    topic, number = names().place(partition_id)
    event_type, service = names().pair(row.node_id)
    return Event(
        topic=topic,
        partition=number,
        offset=offset,
        part=row.part,
        event_id=row.event_id,
        correlation_id=row.flow__correlation_id,
        joined_by=row.flow__joined_by,
        causation_id=row.causation_id,
        type=event_type,
        service=service,
        schema_version=row.schema_version,
        timestamp_ms=row.timestamp_ms,
        occurred_us=row.occurred_us,
        key=row.key,
        reason=row.reason,
        dialect=row.dialect,
        error=row.error,
    )


def find_events(event_id: str) -> list[StoredEvent]:
    """Return *the* event with this id, one for each flow that has it; usually one."""
    wanted = clean(event_id)
    rows = events.with_ids([wanted], MAX_SAME_ID)
    found: dict[int, StoredEvent] = {}
    tier = tiers({row.record for row in rows})
    for item in sorted(stored(rows), key=lambda one: (tier.get(one.record, 0), _precedence(one))):
        found.setdefault(item.flow, item)
    return list(found.values())


def _precedence(item: StoredEvent) -> tuple[int, str, int, int]:
    event = item.event
    return (event.timestamp_ms, event.topic, event.partition, event.offset)


def events_at(positions: Iterable[int]) -> list[StoredEvent]:
    """Return the events at these positions, oldest first. A few queries by key."""
    return stored(events.at(set(positions)))


def list_events(
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int,
    type: str = "",  # noqa: A002
    service: str = "",
    topic: str = "",
    text: str = "",
) -> EventPage:
    """Return events by position: newest first, or oldest first behind `after`.

    `text` is looked for in type, key, event id and correlation id, whatever its case. Filters
    test at most `MAX_TESTED` events; `next_before` then goes on. Positions follow storing.
    """
    matches = _Matcher(type, service, topic, text)
    page = sieve(_rows(after, before, limit), matches, limit=limit, most=MAX_TESTED)
    following = page.last.position if page.more and page.last and after is None else None
    return EventPage(tuple(stored(page.found)), following, page.tested)


def _rows(after: int | None, before: int | None, limit: int) -> Iterator[Row]:
    size = min(limit + 1, _CHUNK)
    while True:
        if after is not None:
            rows = events.behind(after, size)
        else:
            rows = events.before(_NO_BORDER if before is None else before, size)
        yield from rows
        if len(rows) < size:
            return
        if after is not None:
            after = rows[-1].position
        else:
            before = rows[-1].position
        size = _CHUNK


class _Matcher:
    """Tests rows by names, resolved to catalogue numbers once where that is possible."""

    def __init__(self, event_type: str, service: str, topic: str, text: str) -> None:
        self._nodes: set[int] | None = None
        if event_type or service:
            nodes = Node.objects.all()
            if event_type:
                nodes = nodes.filter(type=event_type)
            if service:
                nodes = nodes.filter(service=service)
            self._nodes = set(nodes.values_list("id", flat=True))
        self._topic = topic
        self._text = text.lower()

    def __call__(self, row: Row) -> bool:
        if self._nodes is not None and row.node_id not in self._nodes:
            return False
        if self._topic and names().place(coordinates_of(row.record)[0])[0] != self._topic:
            return False
        if not self._text:
            return True
        fields = (names().pair(row.node_id)[0], row.key, row.event_id, row.flow__correlation_id)
        return any(self._text in field.lower() for field in fields if field)
