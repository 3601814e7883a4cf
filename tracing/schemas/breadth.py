"""How many parts of a JSON Schema describe one value at once: what a check of it may cost. Pure.

Alternatives that refer to alternatives multiply, and a validator follows each way: 30 short lines
may ask for a billion looks at one value. So their number is counted before anything is checked, on
places as the schema names them: the value itself, the values of each field, the items.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin

import msgspec

from tracing.codec.limits import MAX_DEPTH
from tracing.domain.text import clean
from tracing.schemas.errors import BadSchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Parts that describe one value. A validator takes some 50 us for each that fails.
MAX_PARTS = 500
# Places that are told apart; a schema of a megabyte has some 20,000.
_MAX_PLACES = 50_000
# Names of one place times the parts that describe it.
_MAX_STEPS = 200_000
_OTHERS = ""
_META = "json-schema.org/"
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_ALTERNATIVES = ("allOf", "anyOf", "oneOf")
_ASIDE = ("not", "if", "then", "else")
_BY_NAME = ("dependentSchemas", "dependencies")
_ANY_FIELD = ("additionalProperties", "unevaluatedProperties", "propertyNames")
_ANY_ITEM = ("items", "additionalItems", "unevaluatedItems", "contains")

_WIDE = (
    f"Its alternatives multiply: more than {MAX_PARTS} parts of it describe one value, which is too"
    " much to be checked here."
)

# How often each node, by its id, describes a value.
_Parts = Counter[int]


class _TooWideError(BadSchemaError):
    """Too many parts describe one value."""


class Reach(msgspec.Struct, frozen=True):
    """How many parts describe a value at most, and down to which depth that holds."""

    parts: int
    depth: int


def reach(document: Any, others: dict[str, Any]) -> Reach:
    """Return how wide a schema is, as deep as it stays below `MAX_PARTS`; `others` by address.

    Raises BadSchemaError when it is wider than that at once, or its parts cannot be counted.
    """
    walk = _Walk(document, others)
    try:
        return walk.reach(document)
    except RecursionError:
        raise BadSchemaError("It leads too deep to be checked here.") from None
    except ValueError as error:
        raise BadSchemaError(f"A reference cannot be followed: {clean(str(error), 100)}.") from None


class _Walk:
    def __init__(self, document: Any, others: dict[str, Any]) -> None:
        self._nodes: dict[int, tuple[Any, str]] = {}
        self._found: dict[str, Any] = {}
        self._around: dict[int, _Parts] = {}
        self._open: set[int] = set()
        for address, one in {**others, "": document}.items():
            self._index(one, address)

    def reach(self, document: Any) -> Reach:
        """Go from place to place, each kind of place once, until one is too wide."""
        widest, seen = 0, set[frozenset[tuple[int, int]]]()
        places = [Counter([self._known(document, "")])]
        for depth in range(MAX_DEPTH + 1):
            try:
                wholes = [self._whole(parts) for parts in places]
            except _TooWideError:
                if not depth:
                    raise
                return Reach(widest, depth - 1)
            widest = max(widest, *(whole.total() for whole in wholes), 0)
            places = []
            for inner in (one for whole in wholes for one in self._inside(whole)):
                place = frozenset(inner.items())
                if place not in seen:
                    seen.add(place)
                    places.append(inner)
            if len(seen) > _MAX_PLACES:
                raise BadSchemaError("It has too many parts to be checked here.")
            if not places:
                break
        return Reach(widest, MAX_DEPTH)

    def _index(self, document: Any, address: str) -> None:
        """Remember every node by its names: `$id`, `$anchor`, and where it stands."""
        self._found.setdefault(address, document)
        waiting = [(document, address)]
        while waiting:
            node, base = waiting.pop()
            if isinstance(node, dict):
                name = node.get("$id", node.get("id"))
                if isinstance(name, str):
                    base = urldefrag(urljoin(base, name)).url
                    self._found.setdefault(base, node)
                    self._found.setdefault(name, node)
                for key in ("$anchor", "$dynamicAnchor"):
                    if isinstance(node.get(key), str):
                        self._found.setdefault(f"{base}#{node[key]}", node)
                self._nodes[id(node)] = (node, base)
            inner = node.values() if isinstance(node, dict) else node
            if isinstance(node, dict | list):
                waiting += [(one, base) for one in inner]

    def _known(self, node: Any, base: str) -> int:
        self._nodes.setdefault(id(node), (node, base))
        return id(node)

    def _whole(self, given: _Parts) -> _Parts:
        """Return all parts that describe a value, with what they offer and refer to."""
        whole: _Parts = Counter()
        for number, times in given.items():
            for part, each in self._parts(number).items():
                whole[part] += each * times
            if whole.total() > MAX_PARTS:
                raise _TooWideError(_WIDE)
        return whole

    def _parts(self, number: int) -> _Parts:
        if number in self._around:
            return self._around[number]
        if number in self._open:
            raise BadSchemaError("A part of it refers to itself without an end.")
        self._open.add(number)
        node, base = self._nodes[number]
        parts = Counter([number])
        for one in self._beside(node, base):
            # What only means itself is left alone by validators.
            if one != number:
                parts += self._parts(one)
            if parts.total() > MAX_PARTS:
                raise _TooWideError(_WIDE)
        self._open.discard(number)
        self._around[number] = parts
        return parts

    def _beside(self, node: Any, base: str) -> list[int]:
        """Return what describes the same value as a node: its alternatives and references."""
        if not isinstance(node, dict):
            return []
        given = [one for key in _ALTERNATIVES for one in _listed(node.get(key))]
        given += [node[key] for key in _ASIDE if key in node]
        given += [one for key in _BY_NAME for one in _named(node, key).values()]
        named = [node[key] for key in _REFERENCES if isinstance(node.get(key), str)]
        given += [self._resolved(name, base) for name in named if _META not in name]
        return [self._known(one, base) for one in given if isinstance(one, dict)]

    def _inside(self, parts: _Parts) -> list[_Parts]:
        """Return what describes the fields of a value and its items: by each name, and the rest."""
        known = [(*self._nodes[number], times) for number, times in parts.items()]
        nodes = [one for one in known if isinstance(one[0], dict)]
        names = {name for node, _, _ in nodes for name in _named(node, "properties")}
        places = range(max((len(_items(node)) for node, _, _ in nodes), default=0))
        found: dict[str | int, _Parts] = defaultdict(Counter)
        steps = 0

        def describe(place: str | int, schemas: Iterable[Any], base: str, times: int) -> None:
            for one in schemas:
                if isinstance(one, dict):
                    found[place][self._known(one, base)] += times

        for node, base, times in nodes:
            own, items = _named(node, "properties"), _items(node)
            some = [node[key] for key in _ANY_FIELD if _named(node, key)]
            some += _named(node, "patternProperties").values()
            rest = [node[key] for key in _ANY_ITEM if isinstance(node.get(key), dict)]
            steps += len(places) + (len(names) if some else len(own))
            if steps > _MAX_STEPS:
                raise BadSchemaError("It has too many parts to be checked here.")
            for name in names if some else own:
                describe(name, [*some, own.get(name)], base, times)
            for place in places:
                describe(place, [*rest, *items[place : place + 1]], base, times)
            describe(_OTHERS, [*some, *rest], base, times)
        return list(found.values())

    def _resolved(self, reference: str, base: str) -> Any:
        address, fragment = urldefrag(urljoin(base, reference))
        if reference.startswith("#"):
            address = base
        whole = f"{address}#{fragment}" if fragment else address
        for name in (reference, whole):
            if name in self._found:
                return self._found[name]
        node = self._found.get(address)
        if node is None or not (not fragment or fragment.startswith("/")):
            raise BadSchemaError(f"It refers to {reference[:80]!r}, which is not followed here.")
        for step in fragment.split("/")[1:]:
            node = _step(node, step.replace("~1", "/").replace("~0", "~"))
        return node


def _step(node: Any, step: str) -> Any:
    if isinstance(node, list):
        return node[int(step)] if step.isdigit() and int(step) < len(node) else None
    return node.get(step) if isinstance(node, dict) else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _named(node: Any, key: str) -> dict[str, Any]:
    value = node.get(key) if isinstance(node, dict) else None
    return value if isinstance(value, dict) else {}


def _items(node: dict[str, Any]) -> list[Any]:
    return [*_listed(node.get("prefixItems")), *_listed(node.get("items"))]
