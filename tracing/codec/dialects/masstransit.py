"""MassTransit's JSON envelope: `messageId`, a list of message types, `message`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.codec import fields
from tracing.domain.event import Envelope

if TYPE_CHECKING:
    from tracing.domain.record import Record

DIALECT = "masstransit"


class _Body(msgspec.Struct, rename="camel"):
    message_id: object = None
    conversation_id: object = None
    correlation_id: object = None
    initiator_id: object = None
    message_type: list[object] = []
    source_address: object = None
    sent_time: object = None
    headers: dict[str, object] = {}
    message: msgspec.Raw = msgspec.Raw()


_parse = msgspec.json.Decoder(_Body).decode


def read(record: Record, value: bytes) -> list[Envelope]:
    """Return the envelope. Raises msgspec.DecodeError."""
    body = _parse(value)
    payload = bytes(body.message) or None
    return [
        Envelope(
            dialect=DIALECT,
            event_id=fields.identifier(body.message_id),
            event_type=_name(fields.label(body.message_type[0] if body.message_type else None)),
            source=_service(fields.label(body.source_address)),
            correlation_id=fields.identifier(body.conversation_id)
            or fields.identifier(body.correlation_id),
            causation_id=fields.identifier(body.headers.get("MT-InitiatorId"))
            or fields.identifier(body.initiator_id),
            trace_id=fields.trace_id(record),
            occurred_us=fields.time_us(body.sent_time),
            reason=fields.label(body.headers.get("MT-Reason")) or fields.reason_of(payload),
            payload=payload,
        )
    ]


def _name(urn: str | None) -> str | None:
    """Return the type of `urn:message:Namespace:Type`."""
    return None if urn is None else urn.removeprefix("urn:message:").rpartition(":")[2] or urn


def _service(address: str | None) -> str | None:
    """Return the last part of `loopback://host/service`."""
    return None if address is None else address.rstrip("/").rpartition("/")[2] or address
