"""Values that one JSON Schema may take and another one may not: to be tried on both. Pure.

Nothing is claimed of them; a validator decides which fits where. They are the schema's own examples
(its types, enums, borders, alternatives), with one place at a time as the other schema has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_DEPTH = 6
_MAX_ALTERNATIVES = 20
_OF_TYPE: dict[str, list[Any]] = {
    "string": ["a", "", "a longer text of some words"],
    "integer": [1, 0, -1],
    "number": [1.5, 1, -1],
    "boolean": [True],
    "null": [None],
    "array": [[]],
    "object": [{}],
}
_ANY = [kinds[0] for kinds in _OF_TYPE.values()]
_UNHEARD_OF = "somethingElse"


def tries(document: Any, other: Any) -> Iterator[Any]:
    """Yield values for `document`, varied by what `other` says at the same place."""
    yield from _Pair(document, other).values(document, other, 0)


class _Pair:
    def __init__(self, document: Any, other: Any) -> None:
        self._roots = (document, other)

    def values(self, node: Any, other: Any, depth: int) -> Iterator[Any]:
        """Yield values of a node, the most usual one first."""
        node, other = self._at(node, 0), self._at(other, 1)
        if depth > _MAX_DEPTH or not node:
            yield from _borders(other)
            yield from _ANY
            return
        if "const" in node:
            yield node["const"]
            return
        if isinstance(node.get("enum"), list):
            yield from node["enum"][:_MAX_ALTERNATIVES]
            return
        for key in ("anyOf", "oneOf", "allOf"):
            for one in _list(node.get(key))[:_MAX_ALTERNATIVES]:
                yield from self.values(one, other, depth + 1)
        kinds = node.get("type", _guessed(node))
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            if kind == "object":
                yield from self._objects(node, other, depth)
            elif kind == "array":
                for inner in self.values(_first(node), _first(other), depth + 1):
                    yield [inner]
                yield from ([], [None])
            else:
                yield from _borders(node)
                yield from _borders(other)
                yield from _OF_TYPE.get(str(kind), _ANY)

    def _objects(self, node: dict[str, Any], other: dict[str, Any], depth: int) -> Iterator[Any]:
        """Yield objects: whole, without one field, with one field varied, with one more."""
        own, others = _fields(node), _fields(other)
        needed: dict[str, Any] = {
            name: {} for name in _list(node.get("required")) if isinstance(name, str)
        }
        names = {**needed, **own}
        whole = {
            name: next(self.values(inner, others.get(name), depth + 1), None)
            for name, inner in names.items()
        }
        yield whole
        for name in names:
            yield {key: value for key, value in whole.items() if key != name}
        for name, inner in names.items():
            for value in self.values(inner, others.get(name), depth + 1):
                yield {**whole, name: value}
        for name in (*(name for name in others if name not in names), _UNHEARD_OF):
            yield from ({**whole, name: value} for value in _ANY)

    def _at(self, node: Any, root: int) -> dict[str, Any]:
        """Return what a node means, references within its document followed."""
        for _ in range(_MAX_DEPTH):
            if not isinstance(node, dict):
                return {}
            reference = node.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#"):
                return node
            node = self._roots[root]
            for step in reference[1:].split("/")[1:]:
                name = step.replace("~1", "/").replace("~0", "~")
                node = node.get(name) if isinstance(node, dict) else None
        return {}


def _borders(node: dict[str, Any]) -> Iterator[Any]:
    """Yield what lies at and beside the limits that a node sets."""
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
        limit = node.get(key)
        if isinstance(limit, int | float) and not isinstance(limit, bool):
            yield from (limit, limit - 1, limit + 1)
    for key in ("minLength", "maxLength"):
        limit = node.get(key)
        if isinstance(limit, int) and 0 <= limit < 1_000:
            yield from ("a" * limit, "a" * (limit + 1), "a" * max(limit - 1, 0))
    yield from _list(node.get("enum"))[:_MAX_ALTERNATIVES]


def _guessed(node: dict[str, Any]) -> str | list[str]:
    if "properties" in node or "required" in node:
        return "object"
    return "array" if "items" in node else list(_OF_TYPE)


def _first(node: dict[str, Any]) -> Any:
    items = node.get("items", (_list(node.get("prefixItems")) or [{}])[0])
    return items[0] if isinstance(items, list) and items else items


def _fields(node: dict[str, Any]) -> dict[str, Any]:
    found = node.get("properties")
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
