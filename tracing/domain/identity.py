"""Which event this is, and which flow it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.domain.event import Envelope, Event, JoinedBy
from tracing.domain.text import MAX_LABEL, readable

if TYPE_CHECKING:
    from tracing.domain.record import Record

UNDECODABLE = "undecodable"
UNTYPED = "(no type)"


def identify(
    record: Record, envelope: Envelope, part: int = 0, keys: tuple[str, ...] = ()
) -> Event:
    """Give an envelope its identity.

    The event id is the producer's, else the record's coordinates. The correlation is the
    producer's, else the trace id, else the event id. A key never makes a flow.
    """
    event_id = envelope.event_id
    if event_id is None:
        event_id = f"{record.coordinates}#{part}" if part else record.coordinates
    joined_by: JoinedBy
    if envelope.correlation_id:
        correlation_id, joined_by = envelope.correlation_id, "correlation"
    elif envelope.trace_id:
        correlation_id, joined_by = envelope.trace_id, "trace"
    else:
        correlation_id, joined_by = event_id, "event"
    return Event(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        part=part,
        event_id=event_id,
        correlation_id=correlation_id,
        joined_by=joined_by,
        causation_id=envelope.causation_id,
        type=envelope.event_type or UNTYPED,
        service=envelope.source or "",
        schema_version=envelope.schema_version,
        timestamp_ms=record.timestamp_ms,
        occurred_us=envelope.occurred_us,
        key=None if record.key is None else readable(record.key, MAX_LABEL),
        reason=envelope.reason,
        dialect=envelope.dialect,
        keys=keys,
    )


def undecodable(record: Record, reason: str, *, awaits: str = "") -> Event:
    """Return the event that stands for a record nobody can read: a flow of its own.

    `awaits` names the schema by which it can be read later.
    """
    return Event(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        event_id=record.coordinates,
        correlation_id=record.coordinates,
        joined_by="event",
        causation_id=None,
        type=UNDECODABLE,
        service="",
        schema_version=None,
        timestamp_ms=record.timestamp_ms,
        occurred_us=None,
        key=None if record.key is None else readable(record.key, MAX_LABEL),
        reason=None,
        dialect=UNDECODABLE,
        error=reason,
        awaits=awaits,
    )
