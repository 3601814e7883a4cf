"""Records that carry their identity only in headers, under the names people give them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import msgspec

from tracing.codec import fields
from tracing.domain.event import Envelope

if TYPE_CHECKING:
    from tracing.domain.record import Record

DIALECT = "headers"

# Names without case, dashes, underscores, dots and a leading "x".
_FIELDS = {
    "eventid": "event_id",
    "messageid": "event_id",
    "eventtype": "event_type",
    "messagetype": "event_type",
    "schemaversion": "schema_version",
    "eventversion": "schema_version",
    "source": "source",
    "eventsource": "source",
    "service": "source",
    "producer": "source",
    "correlationid": "correlation_id",
    "conversationid": "correlation_id",
    "causationid": "causation_id",
    "parentid": "causation_id",
    "eventtime": "occurred",
    "timestamp": "occurred",
}
_EVIDENCE = {
    "content-type": "content_type",
    "traceparent": "trace_id",
    "ce_specversion": "cloudevents",
    "nservicebus.messageid": "nservicebus",
}
_DROPPED = str.maketrans("", "", "-_.")


class Said(msgspec.Struct, gc=False):
    """What the headers say of the event, None where they do not; one pass finds it all.

    Changed by `said_by` alone: records without headers share one.
    `cloudevents` and `nservicebus` tell whether these dialects' own headers are there.
    """

    event_id: str | None = None
    event_type: str | None = None
    schema_version: str | None = None
    source: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    occurred_us: int | None = None
    trace_id: str | None = None
    content_type: bytes = b""
    cloudevents: bool = False
    nservicebus: bool = False

    @property
    def identifies(self) -> bool:
        """Tell whether it is more than the name of a type or a service."""
        return bool(self.event_id or self.correlation_id or self.causation_id)


_NOTHING = Said()


@functools.lru_cache(maxsize=2_000)
def _field(name: str) -> str | None:
    known = _EVIDENCE.get(name[:100].lower())
    if known:
        return known
    plain = name[:100].lower().translate(_DROPPED)
    return _FIELDS.get(plain) or _FIELDS.get(plain.removeprefix("x"))


def said_by(record: Record) -> Said:
    """Return what the headers say; the last of several with one meaning counts."""
    if not record.headers:
        return _NOTHING
    said = Said()
    for name, value in record.headers:
        field = _field(name)
        if field is not None and value is not None:
            _take(said, field, value)
    return said


def _take(said: Said, field: str, value: bytes) -> None:
    if field == "content_type":
        said.content_type = value
    elif field == "trace_id":
        said.trace_id = fields.trace_id_in(value)
    elif field in {"cloudevents", "nservicebus"}:
        setattr(said, field, True)
    elif field == "occurred":
        said.occurred_us = fields.time_us(value)
    elif field.endswith("_id"):
        setattr(said, field, fields.identifier(value))
    else:
        setattr(said, field, fields.label(value))


def read(said: Said, payload: bytes | None) -> list[Envelope]:
    """Return an envelope made of headers alone."""
    return [
        Envelope(
            dialect=DIALECT,
            event_id=said.event_id,
            event_type=said.event_type,
            schema_version=said.schema_version,
            source=said.source,
            correlation_id=said.correlation_id,
            causation_id=said.causation_id,
            trace_id=said.trace_id,
            occurred_us=said.occurred_us,
            reason=fields.reason_of(payload),
            payload=payload,
        )
    ]
