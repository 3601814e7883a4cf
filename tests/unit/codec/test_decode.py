"""Every record gives at least one event, whatever is in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import JSON, share
from tracing.codec import decode
from tracing.codec.depth import too_deep
from tracing.codec.fields import time_us
from tracing.codec.limits import MAX_DEPTH
from tracing.domain.record import Header, Record

BODY = {
    "eventId": "e-1",
    "eventType": "OrderPlaced",
    "schemaVersion": 2,
    "timestamp": "2026-01-01T00:00:00.123456Z",
    "correlationId": "c-1",
    "causationId": "e-0",
    "payload": {"orderId": "ORD-1", "reason": "none"},
}


def record(value: bytes | None, *headers: Header) -> Record:
    """Make a record at orders[2]@48211."""
    return Record(
        topic="orders",
        partition=2,
        offset=48211,
        timestamp_ms=1_000,
        key=b"ORD-1",
        value=value,
        headers=headers,
    )


def test_it_reads_the_native_envelope() -> None:
    found = decode(record(json.dumps(BODY).encode(), ("source", b"order")))

    event = found.events[0]
    assert event.event_id == "e-1"
    assert event.type == "OrderPlaced"
    assert event.schema_version == "2"
    assert event.correlation_id == "c-1"
    assert event.joined_by == "correlation"
    assert event.causation_id == "e-0"
    assert event.service == "order"
    assert event.occurred_us == 1_767_225_600_123_456
    assert event.reason == "none"
    assert json.loads(found.payloads[0] or b"") == BODY["payload"]


def test_the_first_producer_of_a_tutorial_needs_no_version_and_no_correlation() -> None:
    event = decode(record(b'{"eventId":"e-1","eventType":"OrderPlaced","payload":{}}')).events[0]

    assert event.correlation_id == "e-1"
    assert event.joined_by == "event"


@pytest.mark.parametrize("absent", ["", "null", None, "00000000-0000-0000-0000-000000000000"])
def test_empty_correlations_fall_back_to_the_trace(absent: str | None) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    header = ("traceparent", f"00-{trace}-b7ad6b7169203331-01".encode())

    event = decode(record(json.dumps(BODY | {"correlationId": absent}).encode(), header)).events[0]

    assert event.correlation_id == trace
    assert event.joined_by == "trace"


def test_a_record_without_an_envelope_is_named_by_its_coordinates() -> None:
    found = decode(record(b"plain text", ("event-type", b"Note")))

    assert found.events[0].event_id == "orders[2]@48211"
    assert found.events[0].type == "Note"
    assert found.events[0].dialect == "none"
    assert found.payloads == (b"plain text",)


def test_a_tombstone_is_an_event_without_a_payload() -> None:
    found = decode(record(None))

    assert found.events[0].error is None
    assert found.payloads == (None,)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{broken", "begins like JSON"),
        (b'{"eventId": "\xff"}', "not UTF-8"),
        (b'{"payload":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "deeper than 64"),
        (b'{"eventId":"a","eventType":"b","payload":' + b"[" * 100_000, "deeper than 64"),
        (b"[" * 65 + b'"' + b'\\"' * 400_000, "deeper than 64"),
        (b'{"eventId":"a","eventType":"b","payload":NaN}', "begins like JSON"),
    ],
)
def test_what_cannot_be_decoded_says_why(value: bytes, reason: str) -> None:
    event = decode(record(value)).events[0]

    assert reason in (event.error or "")
    assert event.type == "undecodable"
    assert event.event_id == "orders[2]@48211"
    assert event.key == "ORD-1"


def test_ids_of_any_scalar_type_are_text() -> None:
    event = decode(record(b'{"eventId": 17, "eventType": "T", "causationId": 16}')).events[0]

    assert (event.event_id, event.causation_id) == ("17", "16")


def test_nul_and_surrogates_in_names_are_made_visible() -> None:
    event = decode(record(b'{"eventId":"a\\u0000b","eventType":"T\\u0000"}')).events[0]

    assert event.event_id == "a\u2400b"
    assert event.type == "T\u2400"


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_decoder(value: bytes) -> None:
    found = decode(record(value))

    assert len(found.events) == len(found.payloads) == 1


@share(50)
@given(JSON, st.sampled_from(sorted(BODY)))
def test_a_field_of_any_type_does_not_stop_the_decoder(value: object, field: str) -> None:
    event = decode(record(json.dumps(BODY | {field: value}).encode())).events[0]

    assert event.coordinates == "orders[2]@48211"


@share(50)
@given(st.integers(0, 3 * MAX_DEPTH))
def test_depth_is_measured_exactly(levels: int) -> None:
    # Many shallow brackets and brackets in strings do not count.
    value = b'["[[[[",' + b"[]," * 100 + b"[" * levels + b"]" * levels + b"]"

    assert too_deep(value) == (levels + 1 > MAX_DEPTH)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-01-01T00:00:00Z", 1_767_225_600_000_000),
        ("2026-01-01T01:00:00+01:00", 1_767_225_600_000_000),
        ("2026-01-01 00:00:00", 1_767_225_600_000_000),
        (1_767_225_600, 1_767_225_600_000_000),
        (1_767_225_600_000, 1_767_225_600_000_000),
        (1_767_225_600_000_000, 1_767_225_600_000_000),
        ("yesterday", None),
        (True, None),
        (float("inf"), None),
        (-5, None),
        (None, None),
    ],
)
def test_times_are_read_as_producers_write_them(written: object, expected: int | None) -> None:
    assert time_us(written) == expected
