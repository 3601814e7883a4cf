"""Events as rows with their flows' columns: from the tables, or made of what records say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import astuple

from tracing.codec import fields, ordinary
from tracing.codec.dialects import native
from tracing.domain.event import JoinedBy
from tracing.domain.text import MAX_LABEL, hash64, readable
from tracing.projections import record_log
from tracing.projections.bulk import Columns
from tracing.projections.names import names
from tracing.projections.plain_sql import among, chunks, select
from tracing.projections.rows import columns_of, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracing.projections.record_rows import Row as Record

ROWS = Columns(
    "tracing_event",
    (
        ("position", "int8"),
        ("flow_id", "int8"),
        ("record", "int8"),
        ("part", "int4"),
        ("node_id", "int8"),
        ("event_id", "text"),
        ("causation_id", "text"),
        ("timestamp_ms", "int8"),
        ("occurred_us", "int8"),
        ("key", "text"),
        ("schema_version", "text"),
        ("reason", "text"),
        ("dialect", "text"),
        ("error", "text"),
    ),
)


class Row(msgspec.Struct, frozen=True, gc=False):
    """An event's columns, and those of its flow that are short. Live pages read thousands."""

    position: int
    flow_id: int
    record: int
    part: int
    node_id: int
    event_id: str
    causation_id: str | None
    timestamp_ms: int
    occurred_us: int | None
    key: str | None
    schema_version: str | None
    reason: str | None
    dialect: str
    error: str | None
    flow__correlation_id: str
    flow__joined_by: JoinedBy
    flow__marks: int
    flow__events: int
    flow__records: int

    @property
    def needs_facts(self) -> bool:
        """Tell whether the flow has marks or copies: its facts say which events have them."""
        return self.flow__marks != 0 or self.flow__events != self.flow__records


_FLOW = [name.removeprefix("flow__") for name in Row.__struct_fields__[len(ROWS.columns) :]]
_COLUMNS = [*(f"e.{name}" for name in ROWS.names), *(f"f.{name}" for name in _FLOW)]
_SOURCE = "tracing_event e JOIN tracing_flow f ON f.id = e.flow_id"
# What a record says of its event: its columns as in `rows.columns_of`, its flow's correlation id,
# its type and service.
_Said = tuple[tuple[Any, ...], str, tuple[str, str]]


class Flow(msgspec.Struct, frozen=True, gc=False):
    """A flow's columns, in the order of `Row`, and its facts."""

    id: int
    correlation_id: str
    joined_by: JoinedBy
    marks: int
    events: int
    records: int
    facts: bytes | memoryview = b""


def find_flows(condition: str, parameters: Iterable[Any], *, facts: bool = False) -> list[Flow]:
    """Return flows, with their facts if these are asked for."""
    columns = Flow.__struct_fields__[: None if facts else -1]
    return [Flow(*row) for row in select(columns, "tracing_flow", condition, parameters)]


def find(condition: str, parameters: Iterable[Any]) -> list[Row]:
    """Return events that have rows. The condition, of `e`, may end in an order and a limit."""
    return [Row(*row) for row in select(_COLUMNS, _SOURCE, condition, parameters)]


def said(places: Mapping[int, int], flows: Iterable[Flow] = ()) -> list[Row]:
    """Return the events of records, given with their positions, as the records say them.

    Three queries by key a chunk at most, two for the records, one for flows that are not given; one
    for names. Events whose records or flows are gone meanwhile are left out.
    """
    events: dict[int, _Said] = {}
    for chunk in chunks(places):
        events |= {number: _said_by(row) for number, row in record_log.by_id(chunk).items()}
    of = {flow.correlation_id: flow for flow in flows}
    flow_ids = {correlation_id for _, correlation_id, _ in events.values()}
    for missing in chunks({hash64(correlation_id) for correlation_id in flow_ids - of.keys()}):
        others = find_flows(among("correlation_hash", missing), missing)
        of |= {flow.correlation_id: flow for flow in others}
    nodes = names().node_ids({pair for _, _, pair in events.values()})
    return [
        # Of the flow all but its id, which has its place, and its facts.
        Row(places[number], flow.id, number, 0, nodes[pair], *columns, *astuple(flow)[1:-1])
        for number, (columns, correlation_id, pair) in events.items()
        if (flow := of.get(correlation_id)) is not None
    ]


def _said_by(row: Record) -> _Said:
    body = ordinary.read(row.value)
    if body is None:
        # It was ordinary when it came, and is no longer.
        event = prepare(record_log.pairs([row], names()), names())[0].event
        return columns_of(event), event.correlation_id, (event.type, event.service)
    columns = (
        body.event_id,
        body.causation_id,
        row.timestamp_ms,
        fields.time_us(body.timestamp),
        None if row.key is None else readable(row.key, MAX_LABEL),
        fields.label(body.schema_version),
        fields.label(body.payload["reason"]) if "reason" in body.payload else None,
        native.DIALECT,
        None,
    )
    pair = (fields.label(body.event_type) or "", fields.label(body.source) or "")
    return columns, body.correlation_id, pair
