"""What differs between two versions of a schema, in words. Pure.

Avro: for each part that differs, Apache's library is asked whether who reads with the new version
understands the old data, and the other way round. JSON Schema is judged
as a whole alone (`json_judge`): of its parts it is only said what differs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from tracing.domain.text import clean
from tracing.schemas.avro_judge import can_read, type_words
from tracing.schemas.parsing import as_avro, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracing.schemas.compatibility import Candidate

MAX_CHANGES = 200
_MAX_WORDS = 80
# What a property of JSON Schema says beside its type, in the order in which it is told.
_SAID = (
    *("format", "enum", "const", "default", "minimum", "maximum", "pattern"),
    *("minLength", "maxLength", "additionalProperties"),
)


class Change(msgspec.Struct, frozen=True):
    """One difference.

    `sign` is +, - or ~; `path` names the field, empty for the whole; `words` what became of it.
    `reads_old`: whether who reads with the new version understands data of the old one;
    `reads_new`: whether who reads with the old one understands data of the new one; None where
    nobody here can tell.
    """

    sign: str
    path: str
    words: str
    reads_old: bool | None = None
    reads_new: bool | None = None

    @property
    def meaning(self) -> str:
        """Return what that means for those who read and write."""
        if self.reads_old is None or self.reads_new is None:
            return ""
        if self.reads_old and self.reads_new:
            return "old readers and writers are fine"
        if self.reads_new:
            return "new readers cannot read what old writers write; old readers are fine"
        if self.reads_old:
            return "old readers cannot read what new writers write; new readers are fine"
        return "old and new do not understand each other"

    @property
    def tone(self) -> str:
        """Return how it is drawn: ok, back (one side fails), fail (both), or nothing."""
        if self.reads_old is None or self.reads_new is None:
            return ""
        if self.reads_old and self.reads_new:
            return "ok"
        return "back" if self.reads_old or self.reads_new else "fail"


def difference(old: Candidate, new: Candidate) -> list[Change]:
    """Return what differs, in the order of the new version's fields; bounded.

    Raises BadSchemaError when one of them cannot be used.
    """
    if old.type != new.type:
        return [Change("~", "", f"was {old.type}, is {new.type}", reads_old=False, reads_new=False)]
    if new.type == "AVRO":
        walk = _Avro()
        found = walk.types(as_avro(old.text, old.built_on), as_avro(new.text, new.built_on), "")
    else:
        found = _json(parse_json(old.text), parse_json(new.text), "")
    return [change for change, _ in zip(found, range(MAX_CHANGES), strict=False)]


class _Avro:
    """Walks two schemas side by side."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def types(self, old: Any, new: Any, path: str) -> Iterator[Change]:
        """Yield what differs between two types."""
        pair = (id(old), id(new))
        if pair in self._seen:
            return
        self._seen.add(pair)
        if old.type != new.type or old.type == "union":
            yield from self._other_type(old, new, path)
            return
        if getattr(old, "fullname", None) != getattr(new, "fullname", None):
            yield _judged(old, new, path, f"was named {old.fullname}, is {new.fullname}")
        if old.type == "record":
            yield from self._fields(old, new, path)
        elif old.type == "enum":
            yield from _symbols(old, new, path)
        elif old.type == "array":
            yield from self.types(old.items, new.items, f"{path}[]")
        elif old.type == "map":
            yield from self.types(old.values, new.values, f"{path}{{}}")
        elif old.type == "fixed" and old.size != new.size:
            yield _judged(old, new, path, f"had {old.size} bytes, has {new.size}")
        yield from _logical(old, new, path)

    def _other_type(self, old: Any, new: Any, path: str) -> Iterator[Change]:
        before, after = type_words(old), type_words(new)
        if before != after:
            yield _judged(old, new, path, f"was {before}, is {after}")
        # Branches of the same name may differ within.
        known = {type_words(one): one for one in _branches(old)}
        for branch in _branches(new):
            if type_words(branch) in known:
                yield from self.types(known[type_words(branch)], branch, path)

    def _fields(self, old: Any, new: Any, path: str) -> Iterator[Change]:
        before = {field.name: field for field in old.fields}
        matched = set()
        for field in new.fields:
            place = _place(path, field.name)
            names = (field.name, *(field.props.get("aliases") or ()))
            name = next((one for one in names if one in before), None)
            if name is None:
                words = f"added, {_default(field)}"
                yield Change("+", place, words, reads_old=field.has_default, reads_new=True)
                continue
            matched.add(name)
            other = before[name]
            if name != field.name:
                words = f"renamed from {name}, which stays its alias"
                yield Change("~", place, words, reads_old=True, reads_new=other.has_default)
            yield from _defaults(other, field, place)
            yield from self.types(other.type, field.type, place)
        for name, field in before.items():
            if name not in matched:
                words = f"removed, it {'had a' if field.has_default else 'had no'} default"
                place = _place(path, name)
                yield Change("-", place, words, reads_old=True, reads_new=field.has_default)


def _judged(old: Any, new: Any, path: str, words: str) -> Change:
    return Change("~", path, words, reads_old=can_read(new, old), reads_new=can_read(old, new))


def _branches(schema: Any) -> list[Any]:
    return list(schema.schemas) if schema.type == "union" else [schema]


def _symbols(old: Any, new: Any, path: str) -> Iterator[Change]:
    parts = []
    for word, here, there in (("added", new, old), ("removed", old, new)):
        names = [one for one in here.symbols if one not in set(there.symbols)]
        if names:
            shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
            parts.append(f"{word} {shown}")
    if parts:
        yield _judged(old, new, path, f"may be other symbols: {'; '.join(parts)}")


def _logical(old: Any, new: Any, path: str) -> Iterator[Change]:
    """Yield another logical type: readers get the bytes and read something else from them."""
    before, after = (one.props.get("logicalType") or "" for one in (old, new))
    if before != after:
        words = f"meant {before or 'a plain value'}, means {after or 'a plain value'}"
        yield _judged(old, new, path, words)


def _default(field: Any) -> str:
    return f"with default {_said(field.default)}" if field.has_default else "without a default"


def _defaults(old: Any, new: Any, place: str) -> Iterator[Change]:
    if (old.has_default, old.default if old.has_default else None) == (
        new.has_default,
        new.default if new.has_default else None,
    ):
        return
    before = f"default {_said(old.default)}" if old.has_default else "no default"
    after = f"default {_said(new.default)}" if new.has_default else "none"
    yield Change("~", place, f"had {before}, has {after}", reads_old=True, reads_new=True)


def _said(value: Any) -> str:
    """Return a value in a few words: text bare, the rest as JSON."""
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return clean(text, _MAX_WORDS)


def _place(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _json(old: Any, new: Any, path: str) -> Iterator[Change]:
    """Yield what differs between two JSON Schemas; their depth is bounded by who parsed them."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            yield Change("~", path, f"was {_said(old)}, is {_said(new)}")
        return
    if (before := _json_type(old)) != (after := _json_type(new)):
        yield Change("~", path, f"was {before}, is {after}")
    for name in _SAID:
        if old.get(name) != new.get(name):
            was, now = (_said(one[name]) if name in one else "none" for one in (old, new))
            yield Change("~", path, f"{name} was {was}, is {now}")
    yield from _properties(old, new, path)
    if "items" in old or "items" in new:
        yield from _json(old.get("items", True), new.get("items", True), f"{path}[]")
    for part in ("definitions", "$defs"):
        yield from _parts(_dict(old, part), _dict(new, part), part)


def _properties(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Change]:
    before, after = _dict(old, "properties"), _dict(new, "properties")
    was, now = _required(old), _required(new)
    for name, inner in after.items():
        place = _place(path, name)
        needed = "required" if name in now else "optional"
        if name not in before:
            yield Change("+", place, f"added, {needed}{_json_default(inner)}")
            continue
        if (name in was) != (name in now):
            yield Change("~", place, f"is {needed} now")
        yield from _json(before[name], inner, place)
    for name in before:
        if name not in after:
            needed = "required" if name in was else "optional"
            yield Change("-", _place(path, name), f"removed, it was {needed}")


def _parts(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Change]:
    for name in {**new, **old}:
        place = f"{path}.{name}"
        if name not in old:
            yield Change("+", place, "added")
        elif name not in new:
            yield Change("-", place, "removed")
        else:
            yield from _json(old[name], new[name], place)


def _json_type(schema: dict[str, Any]) -> str:
    kind = schema.get("type", schema.get("$ref", "anything"))
    return " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)


def _json_default(inner: Any) -> str:
    return f", with default {_said(inner['default'])}" if _has(inner, "default") else ""


def _has(value: Any, name: str) -> bool:
    return isinstance(value, dict) and name in value


def _dict(schema: dict[str, Any], name: str) -> dict[str, Any]:
    value = schema.get(name)
    return value if isinstance(value, dict) else {}


def _required(schema: dict[str, Any]) -> set[str]:
    value = schema.get("required")
    return {one for one in value if isinstance(one, str)} if isinstance(value, list) else set()
