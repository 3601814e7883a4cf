"""CloudEvents 1.0 in structured, binary and batch mode.

Source: the CloudEvents Kafka protocol binding and JSON format, version 1.0.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import msgspec

from tracing.codec import fields
from tracing.domain.errors import DecodeError
from tracing.domain.event import Envelope

if TYPE_CHECKING:
    from tracing.codec.dialects.headers import Said
    from tracing.domain.record import Record

STRUCTURED = "cloudevents"
BINARY = "cloudevents-binary"
BATCH = "cloudevents-batch"
# A batch of one record becomes so many events at most.
MAX_BATCH = 1_000


class _Event(msgspec.Struct):
    id: object = None
    type: object = None
    source: object = None
    time: object = None
    correlationid: object = None
    causationid: object = None
    dataschema: object = None
    traceparent: object = None
    data: msgspec.Raw = msgspec.Raw()
    data_base64: object = None


_parse = msgspec.json.Decoder(_Event).decode
_parse_batch = msgspec.json.Decoder(list[_Event]).decode


def read(record: Record, said: Said, value: bytes | None) -> list[Envelope] | None:
    """Return the events by the mode that the headers tell, None when they tell of none."""
    if said.content_type and value is not None:
        content_type = said.content_type.lstrip().lower()
        if content_type.startswith(b"application/cloudevents-batch"):
            return _batch(record, value)
        if content_type.startswith(b"application/cloudevents"):
            return structured(record, value)
    return [_binary(record, value)] if said.cloudevents else None


def structured(record: Record, value: bytes) -> list[Envelope]:
    """Return the one event of a JSON body."""
    return [_envelope(record, _parse(value), STRUCTURED)]


def _batch(record: Record, value: bytes) -> list[Envelope]:
    events = _parse_batch(value)
    if not events:
        raise DecodeError("The batch of CloudEvents is empty.")
    if len(events) > MAX_BATCH:
        raise DecodeError(f"The batch holds {len(events):,} events; {MAX_BATCH:,} are the limit.")
    return [_envelope(record, event, BATCH) for event in events]


def _envelope(record: Record, event: _Event, dialect: str) -> Envelope:
    payload = _payload(event)
    return Envelope(
        dialect=dialect,
        event_id=fields.identifier(event.id),
        event_type=fields.label(event.type),
        schema_version=fields.version_in(event.dataschema),
        source=fields.label(event.source),
        correlation_id=fields.identifier(event.correlationid),
        causation_id=fields.identifier(event.causationid),
        trace_id=fields.trace_id_in(event.traceparent) or fields.trace_id(record),
        occurred_us=fields.time_us(event.time),
        reason=fields.reason_of(payload),
        payload=payload,
    )


def _payload(event: _Event) -> bytes | None:
    if isinstance(event.data_base64, str):
        try:
            return base64.b64decode(event.data_base64, validate=True)
        except binascii.Error:
            raise DecodeError("`data_base64` is not Base64.") from None
    return bytes(event.data) or None


def _binary(record: Record, value: bytes | None) -> Envelope:
    def said(name: str) -> bytes | None:
        return record.header(f"ce_{name}")

    return Envelope(
        dialect=BINARY,
        event_id=fields.identifier(said("id")),
        event_type=fields.label(said("type")),
        schema_version=fields.version_in(said("dataschema")),
        source=fields.label(said("source")),
        correlation_id=fields.identifier(said("correlationid")),
        causation_id=fields.identifier(said("causationid")),
        trace_id=fields.trace_id_in(said("traceparent")) or fields.trace_id(record),
        occurred_us=fields.time_us(said("time")),
        reason=fields.reason_of(value),
        payload=value,
    )
