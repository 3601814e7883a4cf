"""Search keys of a payload: scalar fields that look like identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.codec import fields
from tracing.codec.rules import is_key_field

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_KEYS = 8
# A longer payload is not looked into: it would cost more than the rest of the record.
MAX_BYTES = 64 * 1024

_parse = msgspec.json.Decoder(dict[str, object]).decode


def search_keys(payload: bytes | None, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of identifying fields, two levels deep, each once, in order."""
    if not patterns or not payload or len(payload) > MAX_BYTES or payload.lstrip()[:1] != b"{":
        return ()
    try:
        body = _parse(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    found: dict[str, None] = {}
    for name, value in _scalars(body):
        if is_key_field(name, patterns):
            key = fields.identifier(value)
            if key is not None:
                found[key] = None
                if len(found) == MAX_KEYS:
                    break
    return tuple(found)


def _scalars(body: dict[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in body.items():
        if isinstance(value, dict):
            yield from ((inner, leaf) for inner, leaf in value.items() if isinstance(inner, str))
        else:
            yield name, value
