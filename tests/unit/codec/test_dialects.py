"""Each convention is told by its evidence and read into the same fields."""

from __future__ import annotations

import base64
import json

import pytest

from tests.unit.codec.test_decode import record
from tracing.codec import decode

TRACE = "0af7651916cd43dd8448eb211c80319c"
AT_US = 1_767_225_600_123_456

CLOUDEVENT = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/shop/orders",
    "type": "com.example.order.placed",
    "time": "2026-01-01T00:00:00.123456Z",
    "correlationid": "c-1",
    "causationid": "e-0",
    "dataschema": "https://example.com/schemas/order/v2",
    "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
    "data": {"orderId": "ORD-1"},
}


@pytest.mark.parametrize(
    "content_type", [None, b"application/cloudevents+json", b"Application/CloudEvents+json; x=1"]
)
def test_structured_cloudevents_are_read(content_type: bytes | None) -> None:
    headers = [("content-type", content_type)] if content_type else []

    found = decode(record(json.dumps(CLOUDEVENT).encode(), *headers))

    event = found.events[0]
    assert event.dialect == "cloudevents"
    assert (event.event_id, event.correlation_id, event.causation_id) == ("e-1", "c-1", "e-0")
    assert (event.type, event.service) == ("com.example.order.placed", "/shop/orders")
    assert (event.schema_version, event.occurred_us) == ("2", AT_US)
    assert json.loads(found.payloads[0] or b"") == {"orderId": "ORD-1"}


def test_binary_cloudevents_are_read_from_headers() -> None:
    headers = [
        (f"ce_{name}", str(value).encode()) for name, value in CLOUDEVENT.items() if name != "data"
    ]

    found = decode(record(b"\x00\x01", ("content-type", b"application/x-thing"), *headers))

    event = found.events[0]
    assert event.dialect == "cloudevents-binary"
    assert (event.event_id, event.correlation_id, event.causation_id) == ("e-1", "c-1", "e-0")
    assert found.payloads == (b"\x00\x01",)


def test_a_batch_of_cloudevents_gives_several_events() -> None:
    batch = [CLOUDEVENT, CLOUDEVENT | {"id": "e-2", "data": None}, {"specversion": "1.0"}]
    header = ("content-type", b"application/cloudevents-batch+json")

    found = decode(record(json.dumps(batch).encode(), header))

    assert [event.event_id for event in found.events] == ["e-1", "e-2", "orders[2]@48211#2"]
    assert [event.part for event in found.events] == [0, 1, 2]
    assert len(found.payloads) == 3


def test_base64_data_is_the_payload() -> None:
    body = {"specversion": "1.0", "id": "1", "data_base64": base64.b64encode(b"\xff").decode()}

    assert decode(record(json.dumps(body).encode())).payloads == (b"\xff",)


@pytest.mark.parametrize("batch", [b"[]", b"[1]", b"{}", b"[" + b"{}," * 1_000 + b"{}]"])
def test_a_strange_batch_says_what_is_wrong(batch: bytes) -> None:
    header = ("content-type", b"application/cloudevents-batch+json")

    assert decode(record(batch, header)).events[0].error


def test_masstransit_is_read() -> None:
    body = {
        "messageId": "m-1",
        "conversationId": "c-1",
        "initiatorId": "m-0",
        "messageType": ["urn:message:Shop.Contracts:OrderPlaced", "urn:message:Shop:IEvent"],
        "sourceAddress": "rabbitmq://host/order-service",
        "sentTime": "2026-01-01T00:00:00.123456Z",
        "headers": {},
        "message": {"orderId": "ORD-1"},
    }

    found = decode(record(json.dumps(body).encode()))

    event = found.events[0]
    assert event.dialect == "masstransit"
    assert (event.event_id, event.correlation_id, event.causation_id) == ("m-1", "c-1", "m-0")
    assert (event.type, event.service) == ("OrderPlaced", "order-service")
    assert event.occurred_us == AT_US
    assert json.loads(found.payloads[0] or b"") == {"orderId": "ORD-1"}


def test_nservicebus_is_read_from_headers() -> None:
    said = {
        "MessageId": "m-1",
        "ConversationId": "c-1",
        "RelatedTo": "m-0",
        "EnclosedMessageTypes": "Shop.OrderPlaced, Shop, Version=1.0.0.0;Shop.IEvent, Shop",
        "OriginatingEndpoint": "Orders",
        "TimeSent": "2026-01-01 00:00:00:123456 Z",
    }
    headers = [(f"NServiceBus.{name}", value.encode()) for name, value in said.items()]

    event = decode(record(b'{"orderId": "ORD-1"}', *headers)).events[0]

    assert event.dialect == "nservicebus"
    assert (event.event_id, event.correlation_id, event.causation_id) == ("m-1", "c-1", "m-0")
    assert (event.type, event.service) == ("OrderPlaced", "Orders")
    assert event.occurred_us == AT_US


@pytest.mark.parametrize(
    ("event_id", "correlation_id"),
    [("event-id", "correlation-id"), ("X-Message-Id", "X-Correlation-ID"), ("eventId", "c.o-r")],
)
def test_identity_in_headers_alone_is_read(event_id: str, correlation_id: str) -> None:
    event = decode(
        record(b'{"total": 3}', (event_id, b"e-1"), (correlation_id, b"c-1"), ("event_type", b"T"))
    ).events[0]

    assert event.dialect == "headers"
    assert (event.event_id, event.type) == ("e-1", "T")
    assert event.correlation_id == ("e-1" if correlation_id == "c.o-r" else "c-1")


def test_a_record_without_an_envelope_is_joined_by_its_trace() -> None:
    header = ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode())

    event = decode(record(b'{"total": 3}', header)).events[0]

    assert event.dialect == "none"
    assert (event.correlation_id, event.joined_by) == (TRACE, "trace")


@pytest.mark.parametrize("name", ["messageType", "headers"])
def test_a_field_of_a_wrong_type_is_said(name: str) -> None:
    body = {"messageId": "1", "messageType": ["urn:message:A:B"], "headers": {}, name: [["x"]]}

    event = decode(record(json.dumps(body).encode())).events[0]

    assert event.dialect in {"masstransit", "undecodable"}
