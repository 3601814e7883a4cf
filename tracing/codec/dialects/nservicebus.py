"""NServiceBus: everything in headers that begin with `NServiceBus.`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracing.codec import fields
from tracing.domain.event import Envelope

if TYPE_CHECKING:
    from tracing.domain.record import Record

DIALECT = "nservicebus"

# "2026-11-23 15:04:05:123456 Z": a colon before the fraction, which ISO 8601 does not know.
_TIME = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d):(\d{6}) Z$")


def read(record: Record, value: bytes | None) -> list[Envelope]:
    """Return the envelope of a record that has NServiceBus's own message id."""

    def said(name: str) -> bytes | None:
        return record.header(f"NServiceBus.{name}")

    return [
        Envelope(
            dialect=DIALECT,
            event_id=fields.identifier(said("MessageId")),
            event_type=_name(fields.label(said("EnclosedMessageTypes"))),
            source=fields.label(said("OriginatingEndpoint")),
            correlation_id=fields.identifier(said("ConversationId"))
            or fields.identifier(said("CorrelationId")),
            causation_id=fields.identifier(said("RelatedTo")),
            trace_id=fields.trace_id(record),
            occurred_us=_time_us(said("TimeSent")),
            reason=fields.label(said("ExceptionInfo.Message")) or fields.reason_of(value),
            payload=value,
        )
    ]


def _name(enclosed: str | None) -> str | None:
    """Return the bare type of `Namespace.Type, Assembly, Version=...; Namespace.Base, ...`."""
    if enclosed is None:
        return None
    full = enclosed.split(";")[0].split(",")[0].strip()
    return full.rpartition(".")[2] or full or None


def _time_us(raw: bytes | None) -> int | None:
    match = _TIME.match((raw or b"").decode("ascii", "replace").strip())
    return fields.time_us(f"{match[1]}.{match[2]}+00:00" if match else raw)
