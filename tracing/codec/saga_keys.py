"""By what a saga's instances are told apart: the value of a rule in one event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.codec import fields
from tracing.codec.depth import too_deep
from tracing.codec.dialects.mapped import follow
from tracing.domain.saga.definition import BY_CORRELATION, BY_RECORD_KEY
from tracing.domain.text import MAX_LABEL, readable

if TYPE_CHECKING:
    from tracing.domain.event import Event
    from tracing.domain.record import Record


def key_of(rule: str, event: Event, record: Record, payload: bytes | None) -> str | None:
    """Return an event's key by a rule of `domain.saga.definition`, None where it carries none."""
    if rule == BY_CORRELATION:
        return event.correlation_id
    if rule == BY_RECORD_KEY:
        return fields.identifier(event.key)
    if rule.startswith("header:"):
        value = record.header(rule.removeprefix("header:"))
        return None if value is None else fields.identifier(readable(value, MAX_LABEL))
    return fields.identifier(follow(_body(payload), rule))


def _body(payload: bytes | None) -> object:
    if payload is None or payload.lstrip()[:1] not in {b"{", b"["} or too_deep(payload):
        return None
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
