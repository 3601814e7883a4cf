"""The fields of a schema, and the words by which people look for them. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tracing.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

# A schema with more is found by its first ones.
MAX_FIELDS = 500
MAX_PATH = 300
MAX_WORD_BYTES = 80
# Where a word begins within a name: `orderId`, `order_id`, `order-id`, `HTTPCode`.
_BEGINS = re.compile(
    r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^0-9A-Za-z\u0080-\U0010ffff]+"
)


def fields(value: Any) -> list[str]:
    """Return the paths of a schema's fields, Avro's or JSON Schema's: `items[].sku`. Bounded."""
    found: dict[str, None] = {}
    for path in _paths(value, ""):
        found[path] = None
        if len(found) >= MAX_FIELDS:
            break
    return list(found)


def words(name: str) -> set[bytes]:
    """Return a name from each of its words on, in lower case: what a prefix may find."""
    beginnings = {0} | {match.end() for match in _BEGINS.finditer(name)}
    return {word for begin in beginnings if (word := lowered(name[begin:]))}


def lowered(text: str) -> bytes:
    """Return text as words are stored: lower case, UTF-8, a bounded prefix."""
    return text.lower().encode("utf-8", "replace")[:MAX_WORD_BYTES]


def _paths(value: Any, path: str) -> Iterator[str]:
    """Yield paths; the schema's depth is bounded by who parsed it."""
    if isinstance(value, list):
        for one in value:
            yield from _paths(one, path)
    if not isinstance(value, dict):
        return
    for field in _list(value.get("fields")):
        if isinstance(field, dict) and isinstance(field.get("name"), str):
            yield from _named(field["name"], field.get("type"), path)
    for name, inner in _dict(value.get("properties")).items():
        yield from _named(name, inner, path)
    for part in ("items", "values", "additionalProperties"):
        yield from _paths(value.get(part), f"{path}[]")
    for part in ("type", "allOf", "anyOf", "oneOf"):
        yield from _paths(value.get(part), path)
    for part in ("definitions", "$defs"):
        yield from _paths(list(_dict(value.get(part)).values()), path)


def _named(name: str, inner: Any, path: str) -> Iterator[str]:
    place = clean(f"{path}.{name}" if path else name, MAX_PATH)
    yield place
    yield from _paths(inner, place)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
