"""The log's head and what is new behind a position, in narrow columns."""

from __future__ import annotations

import msgspec

from tracing.models import Node, Source
from tracing.models.source import coordinates_of
from tracing.projections import events
from tracing.projections.names import names
from tracing.projections.plain_sql import select

MAX_NAMES = 500


class Head(msgspec.Struct, frozen=True):
    """How far the log reaches, and which making of the read models it is."""

    position: int
    generation: int


class Change(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One new event, as far as live pages need it to decide whether it concerns them.

    A ring holds thousands of them: the garbage collector need not look through them.
    """

    position: int
    flow: int
    correlation_id: str
    type: str
    service: str
    topic: str
    partition: int
    offset: int
    part: int
    event_id: str
    key: str | None


def head() -> Head:
    """Return the log's head: one row."""
    return Head(*select(("position", "generation"), "tracing_loghead", "id = 1", ())[0])


def changes(after: int, limit: int) -> list[Change]:
    """Return at most `limit` changes behind a position, in order. Five queries by key at most."""
    catalogue = names()
    rows = events.behind(after, limit)
    catalogue.pairs(row.node_id for row in rows)
    found = []
    for row in rows:
        partition_id, offset = coordinates_of(row.record)
        topic, number = catalogue.place(partition_id)
        event_type, service = catalogue.pair(row.node_id)
        found.append(
            Change(
                position=row.position,
                flow=row.flow_id,
                correlation_id=row.flow__correlation_id,
                type=event_type,
                service=service,
                topic=topic,
                partition=number,
                offset=offset,
                part=row.part,
                event_id=row.event_id,
                key=row.key,
            )
        )
    return found


def known_names() -> tuple[list[str], list[str], list[str]]:
    """Return the types, services and topics for filter menus, sorted; at most `MAX_NAMES` each."""
    types = Node.objects.order_by("type").values_list("type", flat=True).distinct()[:MAX_NAMES]
    services = (
        Node.objects.exclude(service="")
        .order_by("service")
        .values_list("service", flat=True)
        .distinct()[:MAX_NAMES]
    )
    topics = Source.objects.order_by("topic").values_list("topic", flat=True).distinct()[:MAX_NAMES]
    return list(types), list(services), list(topics)
