"""Values of binary formats as JSON that people can read; bounded in depth and number."""

from __future__ import annotations

import math

import msgspec

from tracing.codec.limits import MAX_DEPTH
from tracing.domain.errors import DecodeError

_encode = msgspec.json.Encoder().encode


def to_json(value: object) -> bytes:
    """Return JSON. Raises DecodeError when it nests too deep."""
    return _encode(_plain(value, 0))


def _plain(value: object, depth: int) -> object:
    if depth > MAX_DEPTH:
        raise DecodeError(f"The value nests deeper than {MAX_DEPTH} levels.")
    if isinstance(value, dict):
        return {name: _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, bytes):
        return text_of(value)
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no word for it.
        return str(value)
    return value


def text_of(raw: bytes) -> str:
    """Return bytes as text where they are some, else as `0x…` hexadecimal."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return f"0x{raw.hex()}"
    return text if text.isprintable() else f"0x{raw.hex()}"
