"""Avro's logical types as text that people read; what makes no sense stays as it was sent.

Given to fastavro in place of its own, which make Python objects: those raise for years beyond
9999 and take minutes for a decimal of megabytes.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import fastavro.read

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY_US = 86_400_000_000
# Longer than any decimal that means something: 2^1023 has 308 digits.
MAX_DECIMAL_BYTES = 128
MAX_SCALE = 400

Schema = dict[str, Any]


def decimal(raw: bytes, schema: Schema, _reader: Any = None) -> str | bytes:
    """Return the digits, with the point where the scale puts it."""
    scale = schema.get("scale", 0)
    if len(raw) > MAX_DECIMAL_BYTES or not isinstance(scale, int) or not 0 <= scale <= MAX_SCALE:
        return raw
    number = Decimal(int.from_bytes(raw, "big", signed=True))
    sign, digits, _ = number.as_tuple()
    return f"{Decimal((sign, digits, -scale)):f}"


def timestamp(unit_us: float, *, local: bool) -> Any:
    """Return a reader of counts since 1970, as ISO 8601; a local one has no zone."""

    def read(count: int, _schema: Schema, _reader: Any = None) -> str | int:
        try:
            moment = _EPOCH + dt.timedelta(microseconds=int(count * unit_us))
        except OverflowError:
            return count
        text = moment.replace(tzinfo=None).isoformat()
        return text if local else f"{text}Z"

    return read


def date(days: int, _schema: Schema, _reader: Any = None) -> str | int:
    """Return a day as ISO 8601."""
    try:
        return (_EPOCH + dt.timedelta(days=days)).date().isoformat()
    except OverflowError:
        return days


def time(unit_us: int) -> Any:
    """Return a reader of counts since midnight, as ISO 8601."""

    def read(count: int, _schema: Schema, _reader: Any = None) -> str | int:
        if not 0 <= count * unit_us < _DAY_US:
            return count
        return (_EPOCH + dt.timedelta(microseconds=count * unit_us)).time().isoformat()

    return read


def uuid(text: str, _schema: Schema, _reader: Any = None) -> str:
    """Return the text that it is."""
    return text


READERS: dict[str, Any] = {
    "bytes-decimal": decimal,
    "fixed-decimal": decimal,
    "string-uuid": uuid,
    "int-date": date,
    "int-time-millis": time(1_000),
    "long-time-micros": time(1),
    "long-timestamp-millis": timestamp(1_000, local=False),
    "long-timestamp-micros": timestamp(1, local=False),
    "long-timestamp-nanos": timestamp(0.001, local=False),
    "long-local-timestamp-millis": timestamp(1_000, local=True),
    "long-local-timestamp-micros": timestamp(1, local=True),
    "long-local-timestamp-nanos": timestamp(0.001, local=True),
}


def install() -> None:
    """Make fastavro use these readers, in this process."""
    fastavro.read.LOGICAL_READERS.update(READERS)
