"""Which event this is, and which flow it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.domain.event import Envelope, Event, JoinedBy
from tracing.domain.text import MAX_LABEL, clean, readable

if TYPE_CHECKING:
    from tracing.domain.failure import Attempt
    from tracing.domain.record import Record

UNDECODABLE = "undecodable"
UNTYPED = "(no type)"


def identify(
    record: Record,
    envelope: Envelope,
    part: int = 0,
    keys: tuple[str, ...] = (),
    attempt: Attempt | None = None,
) -> Event:
    """Give an envelope its identity.

    The event id is the producer's, else the coordinates of the record that it is a copy of, else
    its own. The correlation is the producer's, else the trace id, else the event id. A key never
    makes a flow.
    """
    event_id = envelope.event_id
    if event_id is None:
        coordinates = _coordinates(record, attempt)
        event_id = f"{coordinates}#{part}" if part else coordinates
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
        reason=_failure(attempt) or envelope.reason,
        dialect=envelope.dialect,
        keys=keys,
        attempt=attempt,
    )


def _coordinates(record: Record, attempt: Attempt | None) -> str:
    source = attempt.failure.source if attempt and attempt.failure else None
    return clean(source) if source else record.coordinates


def _failure(attempt: Attempt | None) -> str | None:
    return attempt.failure.summary if attempt and attempt.failure else None


def undecodable(
    record: Record, reason: str, *, awaits: str = "", attempt: Attempt | None = None
) -> Event:
    """Return the event that stands for a record nobody can read: a flow of its own.

    Its copies on retry and dead letter topics join it where they name its coordinates. `awaits`
    names the schema by which it can be read later.
    """
    event_id = _coordinates(record, attempt)
    return Event(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        event_id=event_id,
        correlation_id=event_id,
        joined_by="event",
        causation_id=None,
        type=UNDECODABLE,
        service="",
        schema_version=None,
        timestamp_ms=record.timestamp_ms,
        occurred_us=None,
        key=None if record.key is None else readable(record.key, MAX_LABEL),
        reason=_failure(attempt),
        dialect=UNDECODABLE,
        error=reason,
        awaits=awaits,
        attempt=attempt,
    )
