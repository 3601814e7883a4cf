"""The native envelope: a JSON object with `eventId`, `eventType`, `payload` and their like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.codec import fields
from tracing.domain.event import Envelope

if TYPE_CHECKING:
    from tracing.domain.record import Record

DIALECT = "native"


class _Body(msgspec.Struct, rename="camel"):
    """The envelope's fields as they stand on the wire; each may have any type."""

    event_id: object = None
    event_type: object = None
    schema_version: object = None
    timestamp: object = None
    correlation_id: object = None
    causation_id: object = None
    source: object = None
    payload: msgspec.Raw = msgspec.Raw()


class _Reason(msgspec.Struct):
    reason: object = None


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_reason = msgspec.json.Decoder(_Reason).decode


def decode(record: Record, value: bytes) -> Envelope | None:
    """Return the envelope, or None when the value is no such object.

    Headers `event-type` and `source` stand in for what the body leaves out. Raises
    msgspec.DecodeError and UnicodeDecodeError from the parser.
    """
    if value.lstrip()[:1] != b"{":
        return None
    body = _decode_body(value)
    event_id = fields.identifier(body.event_id)
    event_type = fields.label(body.event_type)
    if event_id is None and event_type is None:
        return None
    payload = bytes(body.payload)
    return Envelope(
        dialect=DIALECT,
        event_id=event_id,
        event_type=event_type or fields.label(record.header("event-type")),
        schema_version=fields.label(body.schema_version),
        source=fields.label(record.header("source")) or fields.label(body.source),
        correlation_id=fields.identifier(body.correlation_id),
        causation_id=fields.identifier(body.causation_id),
        trace_id=fields.trace_id(record),
        occurred_us=fields.time_us(body.timestamp),
        reason=reason_of(payload),
        payload=payload or None,
    )


def reason_of(payload: bytes) -> str | None:
    """Return the payload's `reason`, if it is an object that has one."""
    if b'"reason"' not in payload or payload[:1] != b"{":
        return None
    try:
        return fields.label(_decode_reason(payload).reason)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
