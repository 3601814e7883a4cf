"""Everybody else's envelope, by a mapping from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.codec import fields
from tracing.codec.rules import Mapping, steps
from tracing.domain.event import Envelope

if TYPE_CHECKING:
    from tracing.domain.record import Record

DIALECT = "mapped"


def read(record: Record, value: bytes | None, mapping: Mapping) -> list[Envelope] | None:
    """Return the envelope, None when the record carries none of the mapped identity.

    A value that is not JSON has headers only.
    """
    body = _body(value)

    def said(path: str | None) -> object:
        if path is None:
            return None
        if path.startswith("header:"):
            return record.header(path.removeprefix("header:"))
        return follow(body, path)

    event_id = fields.identifier(said(mapping.event_id))
    event_type = fields.label(said(mapping.event_type))
    correlation_id = fields.identifier(said(mapping.correlation_id))
    if event_id is None and event_type is None and correlation_id is None:
        return None
    payload = value if mapping.payload is None else msgspec.json.encode(said(mapping.payload))
    return [
        Envelope(
            dialect=DIALECT,
            event_id=event_id,
            event_type=event_type,
            schema_version=fields.label(said(mapping.schema_version)),
            source=fields.label(said(mapping.source)),
            correlation_id=correlation_id,
            causation_id=fields.identifier(said(mapping.causation_id)),
            trace_id=fields.trace_id(record),
            occurred_us=fields.time_us(said(mapping.occurred)),
            reason=fields.reason_of(payload),
            payload=payload,
        )
    ]


def _body(value: bytes | None) -> object:
    if value is None or value.lstrip()[:1] not in {b"{", b"["}:
        return None
    return msgspec.json.decode(value)


def follow(body: object, path: str) -> object:
    """Return what lies at a JSON path, None where it leads nowhere."""
    for step in steps(path):
        if isinstance(step, int):
            if not isinstance(body, list) or step >= len(body):
                return None
            body = body[step]
        elif isinstance(body, dict):
            body = body.get(step)
        else:
            return None
    return body
