"""Flows and events as JSON: one representation for HTTP and for the websocket.

snake_case, ISO 8601 in UTC, durations in milliseconds (`_ms`). What strangers wrote stays bounded
and never makes invalid JSON.
"""

from __future__ import annotations

import base64
import functools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from tracing.codec.depth import too_deep
from tracing.domain import marks
from tracing.projections.reading import display_state

if TYPE_CHECKING:
    from tracing.domain.record import Header
    from tracing.projections.reading import FlowDetail, FlowLine, StoredEvent, StoredRecord

Json = dict[str, Any]

# Of one event's payload, and of its headers together: alone, and among many.
MAX_BYTES = 1024 * 1024
MAX_BYTES_OF_MANY = 16 * 1024

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def flow(line: FlowLine, *, now_ms: int) -> Json:
    """Return a flow without its events."""
    return {
        "correlation_id": line.correlation_id,
        "joined_by": line.joined_by,
        "state": display_state(line.state, line.last_ms, now_ms),
        "key": line.key,
        "reason": line.reason,
        "started_at": moment(line.started_ms * 1_000),
        "last_at": moment(line.last_ms * 1_000),
        "duration_ms": milliseconds(line.duration_us),
        "event_count": line.events,
        "record_count": line.records,
        "types": [
            {"type": event_type, "source": service or None, "count": count}
            for event_type, service, count in line.strip
        ],
        "marks": marks.slugs(line.marks),
    }


def flow_detail(detail: FlowDetail, *, now_ms: int) -> Json:
    """Return a flow with its events (without their bytes) and the edges between them."""
    return {
        **flow(detail.line, now_ms=now_ms),
        "events": [event(stored) for stored in detail.events],
        "events_truncated": detail.shown < detail.total,
        "edges": [
            {
                "cause": link.cause,
                "effect": link.effect,
                "latency_ms": milliseconds(link.latency_us),
            }
            for link in detail.links
        ],
        "position": detail.position,
    }


def event(stored: StoredEvent) -> Json:
    """Return what the read model knows of an event: all but headers and payload."""
    known = stored.event
    return {
        "event_id": known.event_id,
        "type": known.type,
        "schema_version": known.schema_version,
        "correlation_id": known.correlation_id,
        "joined_by": known.joined_by,
        "causation_id": known.causation_id,
        "source": known.service or None,
        "occurred_at": moment(known.time_us),
        "recorded_at": moment(known.timestamp_ms * 1_000),
        "topic": known.topic,
        "partition": known.partition,
        "offset": known.offset,
        "key": known.key,
        "reason": known.reason,
        "error": known.error,
        "marks": marks.slugs(stored.marks),
        "redeliveries": list(stored.redeliveries),
        "attempts": [place for place, _ in stored.attempts],
        "position": stored.position,
    }


def whole_event(stored: StoredEvent, found: StoredRecord | None, *, limit: int = MAX_BYTES) -> Json:
    """Return an event with its headers and payload, of each at most `limit` bytes."""
    raw = found.payload if found else None
    headers, cut = headers_of(found.record.headers if found else (), limit)
    return {
        **event(stored),
        "headers": headers,
        "headers_truncated": cut,
        "payload": value_of(raw, limit),
        "payload_truncated": raw is not None and len(raw) > limit,
    }


def headers_of(
    headers: tuple[Header, ...], limit: int
) -> tuple[list[tuple[str, str | Json | None]], bool]:
    """Return ordered [name, value] pairs, and whether some were left out to keep the limit."""
    shown: list[tuple[str, str | Json | None]] = []
    size = 0
    for name, value in headers:
        size += len(name) + len(value or b"")
        if size > limit:
            return shown, True
        shown.append((_storable(name), None if value is None else text_or_base64(value)))
    return shown, False


def value_of(raw: bytes | None, limit: int) -> msgspec.Raw | str | Json | None:
    """Return the JSON that the bytes are, else their text, else base64; cut ones are no JSON.

    JSON is passed on as it was written, whitespace aside: no number is rounded. NaN, Infinity, lone
    surrogates and excessive depth are no JSON, so such a payload is text.
    """
    if raw is None:
        return None
    if len(raw) > limit:
        return text_or_base64(raw[:limit], cut=True)
    try:
        if not too_deep(raw):
            msgspec.json.decode(raw)
            return msgspec.Raw(msgspec.json.format(raw, indent=-1))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return text_or_base64(raw)


def text_or_base64(raw: bytes, *, cut: bool = False) -> str | Json:
    """Return UTF-8 as text and anything else as {"base64": ...}; `cut` forgives a torn end."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if cut and error.start >= len(raw) - 3:
            return raw[: error.start].decode("utf-8")
    return {"base64": base64.b64encode(raw).decode("ascii")}


def moment(us: int) -> str | None:
    """Return microseconds since 1970 as ISO 8601 in UTC; None outside of the calendar."""
    second, rest = divmod(us, 1_000_000)
    begun = _second(second)
    if begun is None:
        return None
    return f"{begun}.{rest:06d}Z" if rest % 1_000 else f"{begun}.{rest // 1_000:03d}Z"


# Many events share one.
@functools.lru_cache(maxsize=1_000)
def _second(seconds: int) -> str | None:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat().removesuffix("+00:00")
    except OverflowError:
        return None


def milliseconds(us: int) -> float:
    """Return microseconds as milliseconds; a whole number stays whole."""
    return us // 1_000 if us % 1_000 == 0 else us / 1_000


def encode(data: Any) -> bytes:
    """Return JSON on one line."""
    return msgspec.json.encode(data)


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
