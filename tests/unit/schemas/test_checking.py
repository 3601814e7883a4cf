"""Payloads against schemas: what is wrong, where, and what nobody listed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tracing.codec.formats.schema import Schema
from tracing.schemas.checking import UncheckableError, check

ORDER = {
    "type": "record",
    "name": "OrderPlaced",
    "namespace": "shop",
    "fields": [
        {"name": "orderId", "type": "string"},
        {"name": "currency", "type": "string", "default": "EUR"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "placed", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {
            "name": "items",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Item",
                    "fields": [{"name": "sku", "type": "string"}, {"name": "n", "type": "int"}],
                },
            },
        },
        {"name": "gift", "type": ["null", "Item"], "default": None},
    ],
}


def told(document: Any, payload: Any, kind: str = "AVRO") -> list[tuple[str, str]]:
    schema = Schema(kind, json.dumps(document))
    return [(one.path, one.reason) for one in check(schema, json.dumps(payload).encode())]


def test_json_fits_an_avro_schema_whose_defaults_may_be_absent() -> None:
    order = {"orderId": "1", "placed": "2026-01-01T00:00:00Z", "items": [{"sku": "a", "n": 1}]}

    assert told(ORDER, order) == []
    assert told(ORDER, order | {"note": None, "gift": {"sku": "b", "n": 2}}) == []


def test_what_is_wrong_is_told_at_its_field() -> None:
    order = {
        "placed": 1,
        "items": [{"sku": "a", "n": 1}, {"sku": 7, "n": "two"}],
        "gift": {"sku": "b"},
        "note": 5,
    }

    assert sorted(told(ORDER, order)) == [
        ("gift.n", "is missing"),
        ("items[].n", "is text instead of a whole number"),
        ("items[].sku", "is a whole number instead of text"),
        ("note", "is a whole number instead of text"),
        ("orderId", "is missing"),
    ]
    found = check(Schema("AVRO", json.dumps(ORDER)), json.dumps(order).encode())
    assert ("items", 1, "n") in {one.steps for one in found}


def test_fields_that_nobody_listed_come_last_and_break_nothing() -> None:
    order = {"orderId": 1, "placed": 1, "items": [{"sku": "a", "n": 1, "tax": 3}], "vip": {"a": 1}}

    found = check(Schema("AVRO", json.dumps(ORDER)), json.dumps(order).encode())

    assert (found[0].path, found[0].listed) == ("orderId", True)
    assert {one.path for one in found if not one.listed} == {"items[].tax", "vip"}


@pytest.mark.parametrize(
    ("document", "payload", "expected"),
    [
        ({"required": ["a"]}, {}, [("a", "is missing")]),
        (
            {"properties": {"a": {"enum": ["x"]}}},
            {"a": "y"},
            [("a", "is none of the values that the schema names")],
        ),
        ({"properties": {"a": {"minimum": 3}}}, {"a": 1}, [("a", "breaks minimum 3")]),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"b": 1},
            [("b", "is not allowed by the schema")],
        ),
        (
            {"properties": {"a": {"type": "string"}}},
            {"a": True},
            [("a", "is true or false instead of text")],
        ),
        ({}, {"anything": [1]}, []),
        ({"additionalProperties": {"type": "integer"}}, {"a": 1}, []),
        (
            {"properties": {"a": {"$ref": "#"}}},
            {"a": {"a": {"b": 1}}},
            [("a.a.b", "is not in the schema")],
        ),
        ({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, {"a": 1, "b": 2}, []),
    ],
)
def test_json_schema_is_told_in_words(document: Any, payload: Any, expected: Any) -> None:
    assert told(document, payload, "JSON") == expected


def test_a_pattern_without_an_end_ends() -> None:
    document = {"properties": {"a": {"pattern": "^(a+)+$"}}}

    assert told(document, {"a": "a" * 60 + "!"}, "JSON") == [("a", "does not match ^(a+)+$")]


@pytest.mark.parametrize(
    "document",
    [
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"$ref": "file:///etc/hostname"},
        {"type": "nonsense"},
        {"pattern": "("},
    ],
)
def test_a_schema_that_cannot_be_used_asks_nobody(document: Any) -> None:
    with pytest.raises(UncheckableError):
        told(document, {}, "JSON")


def test_a_schema_that_means_only_itself_lets_everything_pass() -> None:
    assert told({"$ref": "#"}, {"a": 1}, "JSON") == []


def test_what_builds_on_a_registered_reference_is_checked_with_it() -> None:
    address = json.dumps({"type": "object", "required": ["street"]})
    document = json.dumps({"properties": {"to": {"$ref": "address.json"}}})
    schema = Schema("JSON", document, (("address.json", address),))

    assert [one.path for one in check(schema, b'{"to": {}}')] == ["to.street"]


@pytest.mark.parametrize("payload", [None, b"{broken", b"\xff\x00", b"[" * 5_000])
def test_what_is_no_json_breaks_every_schema(payload: bytes | None) -> None:
    assert len(check(Schema("JSON", "{}"), payload)) == 1


def test_protobuf_is_said_to_be_uncheckable() -> None:
    with pytest.raises(UncheckableError, match="PROTOBUF"):
        check(Schema("PROTOBUF", "syntax"), b"{}")
