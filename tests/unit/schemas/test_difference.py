"""Differences between versions in words; Apache's checker must agree with each of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tracing.schemas.avro_judge import can_read
from tracing.schemas.compatibility import Candidate
from tracing.schemas.difference import MAX_CHANGES, Change, difference
from tracing.schemas.parsing import as_avro

SYMBOLS = {"type": "enum", "name": "State", "symbols": ["A", "B"]}
MORE = {**SYMBOLS, "symbols": ["A", "B", "C"]}
LINE = {"type": "record", "name": "Line", "fields": [{"name": "sku", "type": "string"}]}
LONGER = {**LINE, "fields": [*LINE["fields"], {"name": "n", "type": "int"}]}


def field(kind: Any, **more: Any) -> dict[str, Any]:
    """Return one field `f`."""
    return {"name": "f", "type": kind, **more}


def order(*fields: dict[str, Any]) -> Candidate:
    """Return a record with an id and these fields."""
    whole = [{"name": "id", "type": "string"}, *fields]
    return Candidate("AVRO", json.dumps({"type": "record", "name": "Order", "fields": whole}))


def json_schema(**properties: Any) -> Candidate:
    """Return an object's JSON Schema; a property named with ! is required."""
    named = {name.rstrip("_"): value for name, value in properties.items()}
    needed = [name.rstrip("_") for name in properties if name.endswith("_")]
    return Candidate(
        "JSON", json.dumps({"type": "object", "properties": named, "required": needed})
    )


def one(old: Candidate, new: Candidate) -> Change:
    """Return the only difference."""
    found = difference(old, new)
    assert len(found) == 1, found
    return found[0]


CASES = [
    ([], [field("string", default="USD")], "+", "added, with default USD"),
    ([], [field("string")], "+", "added, without a default"),
    ([], [field("string", default="")], "+", 'added, with default ""'),
    ([field("string", default="x")], [], "-", "removed, it had a default"),
    ([field("string")], [], "-", "removed, it had no default"),
    ([field("int")], [field("long")], "~", "was int, is long"),
    ([field("long")], [field("int")], "~", "was long, is int"),
    ([field("int")], [field("string")], "~", "was int, is string"),
    ([field("int")], [field(["null", "int"])], "~", "was int, is null or int"),
    ([field(["null", "int"])], [field("int")], "~", "was null or int, is int"),
    ([field(SYMBOLS)], [field(MORE)], "~", "may be other symbols: added C"),
    ([field(MORE)], [field(SYMBOLS)], "~", "may be other symbols: removed C"),
    ([field("int", default=1)], [field("int", default=2)], "~", "had default 1, has default 2"),
    ([field("int")], [field("int", default=2)], "~", "had no default, has default 2"),
    (
        [{"name": "g", "type": "int"}],
        [field("int", aliases=["g"])],
        "~",
        "renamed from g, which stays its alias",
    ),
    (
        [field({"type": "fixed", "name": "F", "size": 2})],
        [field({"type": "fixed", "name": "F", "size": 4})],
        "~",
        "had 2 bytes, has 4",
    ),
]


@pytest.mark.parametrize(("before", "after", "sign", "words"), CASES)
def test_a_change_is_said_and_the_checker_agrees(
    before: list[dict[str, Any]], after: list[dict[str, Any]], sign: str, words: str
) -> None:
    old, new = order(*before), order(*after)

    change = one(old, new)

    assert (change.sign, change.path, change.words) == (sign, "f", words)
    older, newer = as_avro(old.text), as_avro(new.text)
    assert change.reads_old == can_read(newer, older)
    assert change.reads_new == can_read(older, newer)


def test_the_meaning_is_said_for_readers_and_writers() -> None:
    assert one(order(), order(field("string", default="USD"))).meaning == (
        "old readers and writers are fine"
    )
    assert one(order(), order(field("string"))).meaning == (
        "new readers cannot read what old writers write; old readers are fine"
    )
    assert one(order(field("int")), order()).meaning == (
        "old readers cannot read what new writers write; new readers are fine"
    )
    assert one(order(field("int")), order(field("string"))).tone == "fail"


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (LINE, LONGER, "f.n"),
        ({"type": "array", "items": LINE}, {"type": "array", "items": LONGER}, "f[].n"),
        ({"type": "map", "values": LINE}, {"type": "map", "values": LONGER}, "f{}.n"),
        (["null", LINE], ["null", LONGER], "f.n"),
    ],
)
def test_what_is_nested_is_named_by_its_path(old: Any, new: Any, path: str) -> None:
    assert one(order(field(old)), order(field(new))).path == path


def test_a_schema_that_holds_itself_ends() -> None:
    node = {
        "type": "record",
        "name": "Node",
        "fields": [{"name": "next", "type": ["null", "Node"], "default": None}],
    }
    more = {**node, "fields": [*node["fields"], {"name": "v", "type": "int", "default": 0}]}

    found = difference(Candidate("AVRO", json.dumps(node)), Candidate("AVRO", json.dumps(more)))

    assert [change.path for change in found] == ["v"]


def test_the_same_has_no_difference() -> None:
    assert difference(order(field("int")), order(field({"type": "int"}))) == []


def test_another_logical_type_is_said() -> None:
    change = one(
        order(field({"type": "long", "logicalType": "timestamp-millis"})),
        order(field({"type": "long", "logicalType": "timestamp-micros"})),
    )

    assert change.words == "meant timestamp-millis, means timestamp-micros"


def test_differences_are_bounded() -> None:
    many = [{"name": f"f{n}", "type": "int", "default": 0} for n in range(MAX_CHANGES + 10)]

    assert len(difference(order(), order(*many))) == MAX_CHANGES


def test_json_schema_is_compared_without_a_judgement() -> None:
    old = json_schema(id_={"type": "string"}, total={"type": "integer"}, gone={})
    new = json_schema(id={"type": "string"}, total={"type": "number"}, currency_={"default": "EUR"})

    found = {change.path: change.words for change in difference(old, new)}

    assert found == {
        "id": "is optional now",
        "total": "was integer, is number",
        "currency": "added, required, with default EUR",
        "gone": "removed, it was optional",
    }
    assert all(change.meaning == "" for change in difference(old, new))


def test_another_format_is_no_version_of_the_same() -> None:
    assert one(order(), json_schema()).words == "was AVRO, is JSON"
