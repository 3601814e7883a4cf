"""Search keys of a payload: scalar fields that look like identifiers."""

from __future__ import annotations

import msgspec

from tracing.codec import fields
from tracing.codec.rules import is_key_field

MAX_KEYS = 8
# A longer payload is not looked into: it would cost more than the rest of the record.
MAX_BYTES = 64 * 1024

_parse = msgspec.json.Decoder(dict[str, object]).decode


def search_keys(payload: bytes | None, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of identifying fields, those of inner objects last, each once."""
    if not patterns or not payload or len(payload) > MAX_BYTES or payload.lstrip()[:1] != b"{":
        return ()
    try:
        body = _parse(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    found: dict[str, None] = {}
    inner = []
    for name, value in body.items():
        if type(value) is dict:
            inner.append(value)
        elif is_key_field(name, patterns):
            _add(found, value)
    for level in inner:
        for name, value in level.items():
            if is_key_field(name, patterns):
                _add(found, value)
    return tuple(found)


def _add(found: dict[str, None], value: object) -> None:
    key = fields.identifier(value)
    if key is not None and len(found) < MAX_KEYS:
        found[key] = None
