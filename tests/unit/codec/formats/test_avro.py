"""Avro's values as JSON; hostile bytes and schemas end in an error, soon."""

from __future__ import annotations

import contextlib
import io
import json
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.codec.formats import avro
from tracing.codec.formats.schema import Schema
from tracing.domain.errors import DecodeError

NODE = {
    "type": "record",
    "name": "Node",
    "fields": [{"name": "next", "type": ["null", "Node"]}],
}
MANY = {
    "type": "record",
    "name": "Many",
    "fields": [
        {"name": "text", "type": "string"},
        {"name": "list", "type": {"type": "array", "items": ["null", "long", "string"]}},
        {"name": "map", "type": {"type": "map", "values": "double"}},
        {"name": "bytes", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
    ],
}


def schema(body: Any, *references: tuple[str, str]) -> Schema:
    return Schema("AVRO", json.dumps(body), references)


def logical(kind: str, name: str, raw: bytes, **more: Any) -> Any:
    return json.loads(avro.read(schema({"type": kind, "logicalType": name, **more}), raw))


def number(value: int) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, "long", value)
    return out.getvalue()


def refused(body: Any, value: bytes) -> str:
    with pytest.raises(DecodeError) as raised:
        avro.read(schema(body), value)
    return raised.value.reason


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-1e6, max_value=1e6))
def test_a_decimal_keeps_its_digits(amount: Decimal) -> None:
    kind = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(kind), amount)

    assert Decimal(json.loads(avro.read(schema(kind), out.getvalue()))) == amount


@pytest.mark.parametrize(
    ("kind", "name", "count", "shown"),
    [
        ("long", "timestamp-millis", 1_767_225_600_123, "2026-01-01T00:00:00.123000Z"),
        ("long", "timestamp-micros", 1_767_225_600_000_001, "2026-01-01T00:00:00.000001Z"),
        ("long", "local-timestamp-millis", 0, "1970-01-01T00:00:00"),
        ("long", "timestamp-millis", 1 << 60, 1 << 60),
        ("int", "date", -1, "1969-12-31"),
        ("int", "date", 2_000_000_000, 2_000_000_000),
        ("int", "time-millis", 3_600_000, "01:00:00"),
        ("long", "time-micros", -1, -1),
    ],
)
def test_times_are_readable_and_nonsense_stays(
    kind: str, name: str, count: int, shown: object
) -> None:
    assert logical(kind, name, number(count)) == shown


def test_bytes_are_text_or_hexadecimal() -> None:
    assert json.loads(avro.read(schema("bytes"), b"\x04ok")) == "ok"
    assert json.loads(avro.read(schema("bytes"), b"\x04\xff\x00")) == "0xff00"


def test_a_schema_finds_what_it_builds_on() -> None:
    money = {"type": "record", "name": "Money", "fields": [{"name": "cents", "type": "long"}]}
    order = {"type": "record", "name": "O", "fields": [{"name": "total", "type": "Money"}]}

    found = avro.read(schema(order, ("Money", json.dumps(money))), b"\x0e")

    assert json.loads(found) == {"total": {"cents": 7}}
    assert refused(order, b"\x0e").startswith("The Avro schema cannot be used")


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_an_error_of_ours(value: bytes) -> None:
    for body in (MANY, NODE, "string", "bytes", ["null", "long", MANY]):
        with contextlib.suppress(DecodeError):
            json.loads(avro.read(schema(body), value))


def test_a_value_that_nests_without_end_is_refused() -> None:
    assert refused(NODE, b"\x02" * 1_000_000) == "The value nests deeper than 64 levels."
    assert refused(NODE, b"\x02" * 100 + b"\x00") == "The value nests deeper than 64 levels."


@pytest.mark.parametrize(
    "item",
    [
        "null",
        {"type": "record", "name": "Empty", "fields": []},
        {"type": "fixed", "name": "None", "size": 0},
        {
            "type": "record",
            "name": "Wide",
            "fields": [{"name": "n", "type": "int"}]
            + [{"name": f"f{place}", "type": "null"} for place in range(100)],
        },
    ],
)
def test_what_takes_no_bytes_is_not_repeated(item: Any) -> None:
    endless = number(1 << 60) + b"\x00" * 100

    assert refused({"type": "array", "items": item}, endless) == (
        "The Avro schema repeats what takes no bytes."
    )


def test_records_that_multiply_out_of_nothing_are_refused() -> None:
    body: Any = {"type": "record", "name": "R0", "fields": []}
    for level in range(1, 25):
        fields = [{"name": "a", "type": body}, {"name": "b", "type": f"R{level - 1}"}]
        body = {"type": "record", "name": f"R{level}", "fields": fields}

    assert refused(body, b"") == "The Avro schema makes too many values of nothing."


def test_a_large_value_holds_a_bounded_number_of_values() -> None:
    count = 1_000_000
    value = number(count) + b"\x01" * count + b"\x00"

    assert refused({"type": "array", "items": "boolean"}, value) == (
        "The Avro value holds more than 200,000 values."
    )


@pytest.mark.parametrize("text", ["", "{", "nope", "[]", '{"type": "record"}', "7", "[" * 9_999])
def test_what_is_no_schema_is_an_error(text: str) -> None:
    with pytest.raises(DecodeError):
        avro.read(Schema("AVRO", text), b"\x02")
