"""What an Avro schema lets a few bytes become: schemas that let them grow are refused.

An array of a type that takes no bytes (null, a record of nulls) could be of any length, and
records of such fields multiply. Every value that is built must be paid for by a byte, but for a
few; then the length of a record bounds the memory and the time that it takes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tracing.codec.limits import MAX_DEPTH
from tracing.domain.errors import DecodeError

# So many values without a byte of their own: in each item of an array, and in the whole.
MAX_FREE_AN_ITEM = 64
MAX_FREE = 10_000

_SIZES = {"null": 0, "float": 4, "double": 8}


class _Shape(msgspec.Struct, frozen=True):
    """`size` is the fewest bytes it takes, `free` the most values that no byte pays for."""

    size: int
    free: int


def check_shape(schema: Any, named: dict[str, Any]) -> bool:
    """Tell whether a parsed schema contains itself. Raises DecodeError when it is refused."""
    walk = _Walk(named)
    if walk.shape(schema, 0).free > MAX_FREE:
        raise DecodeError("The Avro schema makes too many values of nothing.")
    return walk.recursive


class _Walk:
    """One look at every type; a named one is looked at once."""

    def __init__(self, named: dict[str, Any]) -> None:
        self._named = named
        self._known: dict[str, _Shape] = {}
        self._open: set[str] = set()
        self.recursive = False

    def shape(self, schema: Any, depth: int) -> _Shape:
        if depth > 2 * MAX_DEPTH:
            raise DecodeError("The Avro schema nests too deep.")
        if isinstance(schema, str):
            return self._by_name(schema, depth)
        if isinstance(schema, list):
            branches = [self.shape(branch, depth + 1) for branch in schema] or [_Shape(0, 0)]
            return _Shape(1, max(branch.free for branch in branches))
        kind = schema["type"]
        if kind in {"record", "error"}:
            return self._record(schema, depth)
        if kind in {"array", "map"}:
            self._repeated(schema["items" if kind == "array" else "values"], kind, depth)
            return _Shape(1, 0)
        if kind == "fixed":
            return _Shape(int(schema["size"]), 0 if schema["size"] else 1)
        if kind == "enum":
            return _Shape(1, 0)
        return self.shape(kind, depth + 1)

    def _by_name(self, name: str, depth: int) -> _Shape:
        if name in self._known:
            return self._known[name]
        if name in self._open:
            self.recursive = True
            return _Shape(0, 0)
        if name in self._named:
            return self.shape(self._named[name], depth + 1)
        size = _SIZES.get(name, 1)
        return _Shape(size, 0 if size else 1)

    def _record(self, schema: Any, depth: int) -> _Shape:
        name = schema["name"]
        if name in self._known:
            return self._known[name]
        self._open.add(name)
        fields = [self.shape(field["type"], depth + 1) for field in schema["fields"]]
        self._open.discard(name)
        size = sum(field.size for field in fields)
        shape = _Shape(size, 1 + sum(field.free for field in fields))
        self._known[name] = shape
        return shape

    def _repeated(self, schema: Any, kind: str, depth: int) -> None:
        item = self.shape(schema, depth + 1)
        # A map's entry has a key, which takes a byte.
        if (item.size == 0 and kind == "array") or item.free > MAX_FREE_AN_ITEM:
            raise DecodeError("The Avro schema repeats what takes no bytes.")
