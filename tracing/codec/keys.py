"""Search keys of a payload: scalar fields that look like identifiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from tracing.codec import fields
from tracing.codec.rules import KeyFields, key_fields

MAX_KEYS = 8
# A longer payload is not looked into: it would cost more than the rest of the record.
MAX_BYTES = 64 * 1024

Key = TypeVar("Key")

_parse = msgspec.json.Decoder(dict[str, object]).decode


def search_keys(payload: bytes | None, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of identifying fields, those of inner objects last, each once."""
    return tuple(named_keys(payload, patterns))


def named_keys(payload: bytes | None, patterns: tuple[str, ...]) -> dict[str, str]:
    """Return the names of identifying fields by their values, those of inner objects last."""
    if not patterns or not payload or len(payload) > MAX_BYTES or payload.lstrip()[:1] != b"{":
        return {}
    try:
        body = _parse(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return keys_in(body, key_fields(patterns), fields.identifier)


def keys_in(
    body: dict[str, object], wanted: KeyFields, key_of: Callable[[str], Key | None]
) -> dict[Key, str]:
    """Return the same of a payload that is parsed already.

    `key_of` is `fields.identifier`, or makes something else of what that says of a text.
    """
    found: dict[Key, str] = {}
    for level in _look(body, wanted, found, key_of):
        _look(level, wanted, found, key_of)
    return found


def _look(
    level: dict[str, object],
    wanted: KeyFields,
    found: dict[Key, str],
    key_of: Callable[[str], Key | None],
) -> list[dict[str, object]]:
    """Add an object's keys to those found; return the objects in it."""
    inner: list[dict[str, object]] = []
    for name, value in level.items():
        if type(value) is dict:
            inner.append(value)
        elif wanted[name]:
            # Of an identifier `fields.identifier` says the same again.
            text = value if type(value) is str else fields.identifier(value)
            key = None if text is None else key_of(text)
            if key is not None and len(found) < MAX_KEYS:
                found.setdefault(key, name)
    return inner
