"""The log's head and what is new behind a position, in narrow columns."""

from __future__ import annotations

import msgspec

from tracing.models import Event, LogHead, Node, Source
from tracing.models.source import coordinates_of
from tracing.projections.names import names

MAX_NAMES = 500


class Head(msgspec.Struct, frozen=True):
    """How far the log reaches, and which making of the read models it is."""

    position: int
    generation: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One new event, as far as live pages need it to decide whether it concerns them."""

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
    row = LogHead.objects.values_list("position", "generation").get()
    return Head(*row)


def changes(after: int, limit: int) -> list[Change]:
    """Return at most `limit` changes behind a position, in order. One query by primary key."""
    catalogue = names()
    rows = list(
        Event.objects.filter(position__gt=after)
        .order_by("position")
        .values_list(
            "position",
            "record",
            "part",
            "flow_id",
            "node_id",
            "event_id",
            "key",
            "flow__correlation_id",
        )[:limit]
    )
    catalogue.pairs(row[4] for row in rows)
    found = []
    for position, record, part, flow, node, event_id, key, correlation_id in rows:
        partition_id, offset = coordinates_of(record)
        topic, number = catalogue.place(partition_id)
        event_type, service = catalogue.pair(node)
        found.append(
            Change(
                position=position,
                flow=flow,
                correlation_id=correlation_id,
                type=event_type,
                service=service,
                topic=topic,
                partition=number,
                offset=offset,
                part=part,
                event_id=event_id,
                key=key,
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
