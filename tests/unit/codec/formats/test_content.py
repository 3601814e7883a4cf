"""Frames and what they hold: any bytes give an event, and none of them a surprise."""

from __future__ import annotations

import io
import json
import uuid
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tracing.codec import decode
from tracing.codec.formats import framing
from tracing.codec.formats.content import content
from tracing.codec.formats.schema import Schema, SchemaRef
from tracing.codec.rules import Rules
from tracing.domain.record import Header, Record

ORDER = {
    "type": "record",
    "name": "Order",
    "fields": [{"name": "orderId", "type": "string"}, {"name": "items", "type": "long"}],
}
GUID = uuid.UUID("8f7a1c52-9a0e-4a8b-9d13-0e2f4b6c8d10")


def record(value: bytes | None, *headers: Header) -> Record:
    return Record(
        topic="orders",
        partition=0,
        offset=7,
        timestamp_ms=1,
        value=value,
        headers=headers,
        value_length=len(value or b""),
    )


def avro(schema: Any, value: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return out.getvalue()


def knows(schema: Schema) -> Rules:
    return Rules(schema_of=lambda _ref: schema)


NOTHING_KNOWN = Rules(schema_of=lambda _ref: None)
ORDERS = knows(Schema("AVRO", json.dumps(ORDER)))


@share(30)
@given(st.integers(1, (1 << 31) - 1), st.binary())
def test_a_confluent_prefix_names_its_schema_and_leaves_the_rest(number: int, body: bytes) -> None:
    framed = framing.find(record(b"\x00" + number.to_bytes(4, "big") + body))

    assert framed == framing.Framed(SchemaRef("id", str(number)), body)


@share(30)
@given(st.uuids(), st.binary())
def test_a_guid_prefix_names_its_schema_and_leaves_the_rest(guid: uuid.UUID, body: bytes) -> None:
    framed = framing.find(record(b"\x01" + guid.bytes + body))

    assert framed == framing.Framed(SchemaRef("guid", str(guid)), body)


@pytest.mark.parametrize(
    ("header", "ref"),
    [
        (("__value_schema_id", b"\x01" + GUID.bytes), SchemaRef("guid", str(GUID))),
        (("__value_schema_id", b"\x00\x00\x00\x00\x2a"), SchemaRef("id", "42")),
        (("apicurio.value.globalId", (42).to_bytes(8, "big")), SchemaRef("global", "42")),
        (("apicurio.value.contentId", (42).to_bytes(8, "big")), SchemaRef("content", "42")),
    ],
)
def test_a_header_names_the_schema_of_the_whole_value(header: Header, ref: SchemaRef) -> None:
    assert framing.find(record(b"\x02value", header)) == framing.Framed(ref, b"\x02value")


@pytest.mark.parametrize(
    "header",
    [
        ("__value_schema_id", None),
        ("__value_schema_id", b""),
        ("__value_schema_id", b"42"),
        ("apicurio.value.globalId", b"42"),
        ("apicurio.value.globalId", b"\xff" * 8),
    ],
)
def test_a_header_that_makes_no_sense_names_nothing(header: Header) -> None:
    assert framing.find(record(b"{}", header)) is None


def test_a_number_of_eight_bytes_is_no_frame() -> None:
    assert framing.find(record((5).to_bytes(8, "big"))) is None


@share(50)
@given(st.binary(max_size=64), st.lists(st.tuples(st.text(max_size=9), st.binary(max_size=20))))
def test_any_bytes_give_an_event(value: bytes, headers: list[Header]) -> None:
    for rules in (Rules(), NOTHING_KNOWN, ORDERS):
        for one in (record(value, *headers), record(b"\x00\x00\x00\x00\x07" + value, *headers)):
            assert len(decode(one, rules).events) == 1


def test_avro_is_read_like_the_json_that_it_stands_for() -> None:
    schema = {
        "type": "record",
        "name": "Envelope",
        "fields": [
            {"name": "eventId", "type": {"type": "string", "logicalType": "uuid"}},
            {"name": "eventType", "type": "string"},
            {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "correlationId", "type": ["null", "string"]},
            {"name": "payload", "type": ORDER},
        ],
    }
    body = {
        "eventId": GUID,
        "eventType": "OrderPlaced",
        "timestamp": 1_767_225_600_123_456,
        "correlationId": "c-1",
        "payload": {"orderId": "ORD-1", "items": 3},
    }
    value = b"\x00\x00\x00\x00\x07" + avro(schema, body)

    decoded = decode(record(value), knows(Schema("AVRO", json.dumps(schema))))

    event = decoded.events[0]
    assert (event.event_id, event.type, event.correlation_id) == (str(GUID), "OrderPlaced", "c-1")
    assert event.occurred_us == 1_767_225_600_123_456
    assert (event.dialect, event.keys) == ("native", ("ORD-1",))
    assert decoded.payloads == (b'{"orderId":"ORD-1","items":3}',)
    assert (decoded.format, decoded.schema) == ("Avro", "7")


def test_a_schema_that_is_not_known_yet_is_a_clear_error() -> None:
    decoded = decode(record(b"\x00\x00\x00\x00\x2a\x02"), NOTHING_KNOWN)

    event = decoded.events[0]
    assert event.error == (
        "Schema 42 is not known yet; it is decoded as soon as the registry answers."
    )
    assert event.awaits == "id:42"
    assert (decoded.format, decoded.schema) == ("", "42")


def test_without_a_registry_a_frame_is_bytes_and_headers_count() -> None:
    value = b"\x00\x00\x00\x00\x2a\x02"

    decoded = decode(record(value, ("event-id", b"e-1"), ("event-type", b"Placed")), Rules())

    assert (decoded.events[0].event_id, decoded.events[0].error) == ("e-1", None)
    assert decoded.payloads == (value,)


@pytest.mark.parametrize("rules", [Rules(), NOTHING_KNOWN, ORDERS])
def test_framed_json_is_read_whatever_is_known_of_its_schema(rules: Rules) -> None:
    value = b'\x00\x00\x00\x00\x2a{"eventId": "e-1", "eventType": "Placed", "payload": {}}'

    decoded = decode(record(value), rules)

    assert (decoded.events[0].event_id, decoded.format) == ("e-1", "JSON Schema")


def test_framed_json_too_deep_to_check_is_refused_for_its_depth() -> None:
    value = b"\x00\x00\x00\x00\x2a" + b"[" * 5_000 + b"]" * 5_000

    assert "nests deeper" in (decode(record(value), Rules()).events[0].error or "")


def test_a_type_without_a_format_stays_bytes() -> None:
    value = b"\x00\x00\x00\x00\x2a\x00\x0a"

    found = content(record(value), knows(Schema("PROTOBUF", 'syntax = "proto3";')).schema_of)

    assert (found.value, found.format, found.schema) == (value, "Protobuf", "42")
