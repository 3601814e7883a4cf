"""The native envelope: a JSON object with `eventId`, `eventType`, `payload` and their like."""

from __future__ import annotations

import msgspec

from tracing.codec import fields
from tracing.codec.dialects import headers
from tracing.domain.event import Envelope

DIALECT = "native"


class Body(msgspec.Struct, rename="camel"):
    """The envelope's fields as they stand on the wire, of any type each.

    The last four are no part of it: with them, one pass also tells CloudEvents and MassTransit.
    """

    event_id: object = None
    event_type: object = None
    schema_version: object = None
    timestamp: object = None
    correlation_id: object = None
    causation_id: object = None
    source: object = None
    payload: msgspec.Raw = msgspec.Raw()
    specversion: object = None
    message_id: object = None
    message_type: object = None


parse = msgspec.json.Decoder(Body).decode


def read(said: headers.Said, body: Body) -> list[Envelope] | None:
    """Return the envelope; headers stand in for what the body leaves out."""
    event_id = fields.identifier(body.event_id)
    event_type = fields.label(body.event_type)
    if event_id is None and event_type is None:
        return None
    payload = bytes(body.payload)
    return [
        Envelope(
            dialect=DIALECT,
            event_id=event_id or said.event_id,
            event_type=event_type or said.event_type,
            schema_version=fields.label(body.schema_version) or said.schema_version,
            source=said.source or fields.label(body.source),
            correlation_id=fields.identifier(body.correlation_id) or said.correlation_id,
            causation_id=fields.identifier(body.causation_id) or said.causation_id,
            trace_id=said.trace_id,
            occurred_us=fields.time_us(body.timestamp),
            reason=fields.reason_of(payload),
            payload=payload or None,
        )
    ]
