"""The shop on the embedded broker: each scenario tells exactly its story."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from eventviz.telemetry import tracer_of
from tests.servers.embedded import embedded_broker
from tests.servers.processes import wait_for
from tracing.demo.events import TOPIC_OF
from tracing.demo.orders import SOURCE, place_order
from tracing.demo.publishing import Context, Publisher
from tracing.demo.scenarios import Scenario
from tracing.demo.shop import Shop
from tracing.domain.record import Record
from tracing.kafka.group_consumer import GroupConsumer
from tracing.kafka.producer import Producer

pytestmark = [pytest.mark.broker, pytest.mark.slow]

PLACED = ("OrderPlaced", None)
ACKNOWLEDGED = ("OrderAcknowledged", "OrderPlaced")
RESERVED = ("StockReserved", "OrderPlaced")
PAID = ("PaymentProcessed", "StockReserved")
WELL = {
    PLACED,
    ACKNOWLEDGED,
    RESERVED,
    PAID,
    ("ShipmentCreated", "PaymentProcessed"),
    ("NotificationSent", "ShipmentCreated"),
    ("OrderCompleted", "ShipmentCreated"),
}
STORIES = {
    Scenario.FINE: WELL,
    Scenario.SLOW_PAYMENT: WELL,
    Scenario.DELIVERED_TWICE: WELL,
    Scenario.OUT_OF_ORDER: WELL,
    Scenario.OUT_OF_STOCK: {
        PLACED,
        ACKNOWLEDGED,
        ("StockReservationFailed", "OrderPlaced"),
        ("StockReleased", "StockReservationFailed"),
        ("OrderCancelled", "StockReleased"),
    },
    Scenario.PAYMENT_DECLINED: {
        PLACED,
        ACKNOWLEDGED,
        RESERVED,
        ("PaymentFailed", "StockReserved"),
        ("StockReleased", "PaymentFailed"),
        ("OrderCancelled", "StockReleased"),
    },
    Scenario.NOTHING_UNDONE: {
        PLACED,
        ACKNOWLEDGED,
        RESERVED,
        ("PaymentFailed", "StockReserved"),
        ("StockReleaseFailed", "PaymentFailed"),
    },
}


class Told(NamedTuple):
    """A record with its envelope."""

    record: Record
    envelope: dict[str, Any]


class Town:
    """A shop without customers of its own, somebody who orders, and somebody who listens."""

    def __init__(self, broker: str, producer: Producer, listener: GroupConsumer) -> None:
        self._producer = producer
        self.broker = broker
        self.publisher = Publisher(producer, source=SOURCE, tracer=tracer_of(SOURCE))
        self._listener = listener
        self._heard: list[Told] = []

    def story(self, correlation_id: str, records: int) -> list[Told]:
        """Return the flow's records by event time, once there are so many."""

        def whole() -> list[Told]:
            for record in self._listener.poll(50):
                with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    self._heard.append(Told(record, msgspec.json.decode(record.value or b"")))
            found = [it for it in self._heard if it.envelope.get("correlationId") == correlation_id]
            return found if len(found) >= records else []

        found = wait_for(whole, f"{records} events", within_s=20)
        return sorted(found, key=lambda told: told.envelope["timestamp"])


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder: Path = tmp_path_factory.mktemp("shop")
    with (
        embedded_broker(folder) as broker,
        Shop([broker], rate=0, tracer_of=tracer_of) as shop,
    ):
        assert shop.wait_until_open()
        producer = Producer([broker], client_id="test")
        topics = sorted(set(TOPIC_OF.values()))
        listener = GroupConsumer(
            [broker], group="listener", topics=topics, session_timeout_ms=2_000
        )
        yield Town(broker, producer, listener)
        listener.close()
        producer.close()


def chain(story: Sequence[Told]) -> set[tuple[str, str | None]]:
    types = {told.envelope["eventId"]: told.envelope["eventType"] for told in story}
    return {
        (told.envelope["eventType"], types.get(told.envelope.get("causationId", "")))
        for told in story
    }


@pytest.mark.parametrize("scenario", Scenario)
def test_each_scenario_tells_exactly_its_story(town: Town, scenario: Scenario) -> None:
    expected = STORIES[scenario]
    records = len(expected) + (scenario is Scenario.DELIVERED_TWICE)

    placed = place_order(town.publisher, "ORD-1", scenario)
    story = town.story(placed.correlation_id, records)

    assert chain(story) == expected
    assert len(story) == records
    assert {told.record.key for told in story} == {placed.order_id.encode()}
    assert all(told.record.topic == TOPIC_OF[told.envelope["eventType"]] for told in story)
    traces = {told.record.header("traceparent") for told in story}
    assert len({(trace or b"").split(b"-")[1] for trace in traces}) == 1


def test_a_failure_names_its_reason_to_the_end(town: Town) -> None:
    placed = place_order(town.publisher, "ORD-2", Scenario.PAYMENT_DECLINED)

    story = town.story(placed.correlation_id, len(STORIES[Scenario.PAYMENT_DECLINED]))

    reasons = {told.envelope["eventType"]: told.envelope["payload"].get("reason") for told in story}
    assert reasons["PaymentFailed"] == reasons["OrderCancelled"] == "card_declined"


def test_an_event_delivered_twice_has_one_id_and_two_offsets(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="tracing.demo")
    placed = place_order(town.publisher, "ORD-3", Scenario.DELIVERED_TWICE)

    story = town.story(placed.correlation_id, len(WELL) + 1)

    copies = [told for told in story if told.envelope["eventType"] == "OrderPlaced"]
    assert len({told.envelope["eventId"] for told in copies}) == 1
    assert len({told.record.coordinates for told in copies}) == 2
    skipped = [line for line in caplog.messages if "Skipping duplicate event" in line]
    assert {line.partition(":")[0] for line in skipped} == {"inventory", "email"}


def test_the_late_email_stands_behind_a_younger_one_of_its_key(town: Town) -> None:
    placed = place_order(town.publisher, "ORD-4", Scenario.OUT_OF_ORDER)

    story = town.story(placed.correlation_id, len(WELL))

    emails = {told.envelope["eventType"]: told for told in story}
    first, last = emails["OrderAcknowledged"], emails["NotificationSent"]
    assert first.record.partition == last.record.partition
    assert first.record.offset > last.record.offset
    assert first.envelope["timestamp"] < last.envelope["timestamp"]


def test_a_slow_payment_holds_up_nobody(town: Town) -> None:
    slow = place_order(town.publisher, "ORD-5", Scenario.SLOW_PAYMENT)
    quick = place_order(town.publisher, "ORD-5", Scenario.FINE)

    quick_end = town.story(quick.correlation_id, len(WELL))[-1]
    slow_end = town.story(slow.correlation_id, len(WELL))[-1]

    assert quick_end.envelope["timestamp"] < slow_end.envelope["timestamp"]


def test_the_shop_goes_on_after_rubbish(town: Town) -> None:
    producer = Producer([town.broker], client_id="stranger")
    for value in (None, b"", b"\xff\x00", b"[" * 5_000, b'{"eventType": "OrderPlaced"}'):
        producer.send("orders", b"ORD-6", value, [("traceparent", b"\xff")]).coordinates()
    producer.close()
    context = Context("ORD-6 <b>\n", "after the rubbish")

    town.publisher.publish_event("OrderPlaced", {"items": "?"}, context)

    assert chain(town.story("after the rubbish", len(WELL))) == WELL
