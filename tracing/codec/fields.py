"""Single fields of an envelope: text, times, trace context. Wrong types count as absent."""

from __future__ import annotations

import datetime as dt
import functools
import re
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.text import MAX_ID, MAX_LABEL, clean

if TYPE_CHECKING:
    from tracing.domain.record import Record

_WHITE = (chr(point) for point in range(0x3001) if chr(point).isspace())
_NIL_UUID = "00000000-0000-0000-0000-000000000000"
_ABSENT = {"", "null", _NIL_UUID}
# What those begin with, the empty text's nothing and white space included.
MAY_BE_ABSENT = frozenset({"", "n", "N", "0", *_WHITE})


class _Reason(msgspec.Struct):
    reason: object = None


_decode_reason = msgspec.json.Decoder(_Reason).decode

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
# W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-|$)")
_VERSION = re.compile(r"(?:/|:|[-_.]?v)(\d{1,9}(?:\.\d{1,9}){0,3})/?$", re.IGNORECASE)
# Times outside these years are a unit mistaken for another.
_MIN_US = 0
_MAX_US = 253_402_300_799_000_000
# Seconds reach 1e11 in the year 5138, milliseconds pass it since 1973.
_MIN_MS, _MAX_MS = 10**11, 10**14


def identifier(value: object) -> str | None:
    """Return an id as text; numbers count, and empty, `null` and the nil UUID are absent."""
    text = value if type(value) is str else _scalar(value)
    # Most ids differ from every absent one in their first character.
    if text is None or (text[:1] in MAY_BE_ABSENT and text.strip().lower() in _ABSENT):
        return None
    return clean(text, MAX_ID)


def label(value: object) -> str | None:
    """Return a name (type, service, version) as text, None when empty."""
    if (type(value) is str or type(value) is bytes) and len(value) <= MAX_LABEL:
        return _remembered(value)
    return _label(value)


def _label(value: object) -> str | None:
    text = _scalar(value)
    return clean(text, MAX_LABEL) if text and text.strip() else None


# The same few names come with every record.
_remembered = functools.lru_cache(maxsize=2_000)(_label)


def _scalar(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def time_us(value: object) -> int | None:
    """Return microseconds since 1970 of an ISO 8601 text or of epoch (milli|micro)seconds."""
    if type(value) is int and _MIN_MS <= value < _MAX_MS:
        # Milliseconds, as most producers write them.
        return value * 1_000
    if isinstance(value, str | bytes):
        return _iso_us(_scalar(value) or "")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch_us(value)
    return None


def _iso_us(text: str) -> int | None:
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return _bounded((moment - _EPOCH) // _MICROSECOND)


def _epoch_us(number: float) -> int | None:
    for limit, factor in ((_MIN_MS, 1_000_000), (_MAX_MS, 1_000), (1e17, 1)):
        if abs(number) < limit:
            return _bounded(int(number * factor))
    return None


def _bounded(value_us: int) -> int | None:
    return value_us if _MIN_US <= value_us <= _MAX_US else None


def reason_of(payload: bytes | None) -> str | None:
    """Return the payload's `reason`, if it is an object that has one."""
    if not payload or b'"reason"' not in payload or payload.lstrip()[:1] != b"{":
        return None
    try:
        return label(_decode_reason(payload).reason)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def version_in(schema: object) -> str | None:
    """Return the version at the end of a schema's URI (`.../2`, `...v2`, `...:2.1`)."""
    match = _VERSION.search(_scalar(schema) or "")
    return match[1] if match else None


def trace_id(record: Record) -> str | None:
    """Return the trace id of the record's `traceparent` header, None when absent or malformed."""
    return trace_id_in(record.header("traceparent"))


def trace_id_in(traceparent: object) -> str | None:
    """Return the trace id of a `traceparent`, None when absent or malformed."""
    match = _TRACEPARENT.match((_scalar(traceparent) or "")[:100])
    return None if match is None or match[1] == "0" * 32 else match[1]
