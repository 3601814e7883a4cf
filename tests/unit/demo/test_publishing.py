"""An event carries its flow, its cause and its trace."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from eventviz.telemetry import tracer_of
from tracing.demo.events import Kind
from tracing.demo.publishing import Context, Message, Publisher, read_event
from tracing.domain.record import Record


def compose(context: Context, event_type: str = "OrderPlaced") -> Message:
    # Composing needs no Kafka.
    publisher = Publisher(None, source="order", tracer=tracer_of("order"))  # type: ignore[arg-type]
    return publisher.compose(event_type, {"orderId": context.order_id}, context)


def received(message: Message, **changes: Any) -> Record:
    record = Record(
        topic=message.topic,
        partition=0,
        offset=0,
        timestamp_ms=0,
        key=message.key,
        value=message.value,
        headers=message.headers,
    )
    return msgspec.structs.replace(record, **changes)


ROOT = Context("ORD-1042", "flow-1")


def test_the_envelope_has_exactly_the_agreed_fields() -> None:
    first = msgspec.json.decode(compose(ROOT).value)
    context = Context("ORD-1042", "flow-1", causation_id=first["eventId"])
    second = msgspec.json.decode(compose(context, "StockReserved").value)

    common = {"eventId", "eventType", "schemaVersion", "timestamp", "correlationId", "payload"}
    assert set(first) == common
    assert set(second) == common | {"causationId"}
    assert second["causationId"] == first["eventId"]
    time = datetime.fromisoformat(first["timestamp"])
    assert first["timestamp"].endswith("Z")
    assert len(first["timestamp"].partition(".")[2]) == len("123456Z")
    assert time.tzinfo is not None


def test_the_headers_name_type_source_and_trace() -> None:
    message = compose(ROOT)

    headers = dict(message.headers)

    assert headers["content-type"] == b"application/json"
    assert headers["event-type"] == b"OrderPlaced"
    assert headers["source"] == b"order"
    assert set(headers) == {"content-type", "event-type", "source", "traceparent"}
    assert message.key == b"ORD-1042"


def test_only_commands_and_replies_say_what_they_are() -> None:
    publisher = Publisher(None, source="order", tracer=tracer_of("order"))  # type: ignore[arg-type]

    command = publisher.compose("ReserveStock", {}, ROOT, topic="saga.commands", kind=Kind.COMMAND)

    assert dict(command.headers)["message-kind"] == b"command"
    assert command.topic == "saga.commands"
    assert read_event(received(command)) is not None
    assert read_event(received(command, topic="saga.replies")) is None
    assert "message-kind" not in dict(compose(ROOT).headers)


def test_an_effect_joins_its_causes_trace_with_a_span_of_its_own() -> None:
    cause = compose(ROOT)
    found = read_event(received(cause))
    assert found is not None

    effect = compose(found[1], "StockReserved")

    before, after = ((dict(it.headers)["traceparent"] or b"").split(b"-") for it in (cause, effect))
    assert after[1] == before[1]
    assert after[2] != before[2]
    assert effect.event.causation_id == cause.event.event_id
    assert effect.event.correlation_id == "flow-1"


def test_an_effect_told_again_is_the_same_event() -> None:
    context = Context("ORD-1042", "flow-1", causation_id="cause-1")

    ids = {compose(context, "StockReserved").event.event_id for _ in range(2)}

    assert len(ids) == 1
    assert compose(context, "StockReservationFailed").event.event_id not in ids
    assert compose(ROOT).event.event_id != compose(ROOT).event.event_id


@pytest.mark.parametrize(
    "changes",
    [
        {"value": None},
        {"value": b"no json"},
        {"value": b"\xff\xfe"},
        {"value": b"[" * 10_000},
        {"value": b'{"eventId": 7}'},
        {"key": None},
        {"topic": "shipping"},
    ],
)
def test_what_is_not_the_shops_is_passed_over(changes: dict[str, Any]) -> None:
    assert read_event(received(compose(ROOT), **changes)) is None


def test_odd_headers_do_not_stop_an_event() -> None:
    headers = (("traceparent", b"\xff nonsense"), ("x", None), ("baggage", b"=;,=%"))

    assert read_event(received(compose(ROOT), headers=headers)) is not None
