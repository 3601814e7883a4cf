"""The shop on the embedded broker: each scenario tells exactly its story."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventviz.telemetry import tracer_of
from tests.integration.town import Told, Town, chain, open_town
from tests.servers.embedded import embedded_broker
from tests.servers.processes import Process, wait_for
from tracing.codec.failures import attempt_of
from tracing.demo import gateway
from tracing.demo.events import TOPIC_OF
from tracing.demo.orders import SOURCE, place_order
from tracing.demo.publishing import Context, Publisher
from tracing.demo.scenarios import Scenario
from tracing.demo.shop import Shop
from tracing.demo.store import Store
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
STORIES: dict[Scenario, set[tuple[str, str | None]]] = {
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
    Scenario.SHIPMENT_FAILED: {
        PLACED,
        ACKNOWLEDGED,
        RESERVED,
        PAID,
        ("ShipmentFailed", "PaymentProcessed"),
        ("PaymentRefunded", "ShipmentFailed"),
        ("StockReleased", "PaymentRefunded"),
        ("OrderCancelled", "StockReleased"),
    },
    Scenario.REFUND_FAILS: {
        PLACED,
        ACKNOWLEDGED,
        RESERVED,
        PAID,
        ("ShipmentFailed", "PaymentProcessed"),
        ("PaymentRefundFailed", "ShipmentFailed"),
    },
    Scenario.STOCK_HANGS: {PLACED, ACKNOWLEDGED},
    Scenario.PAYMENT_HANGS: {PLACED, ACKNOWLEDGED, RESERVED},
    Scenario.SHIPMENT_HANGS: {PLACED, ACKNOWLEDGED, RESERVED, PAID},
    Scenario.BAD_PAYLOAD: {PLACED, ACKNOWLEDGED},
    Scenario.PRODUCT_BUG: {PLACED, ACKNOWLEDGED},
    # The gateway is up here.
    Scenario.GATEWAY_DOWN: WELL,
    Scenario.UNKNOWN_VERSION: {PLACED},
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("shop")) as found:
        yield found


@pytest.mark.parametrize("scenario", Scenario)
def test_each_scenario_tells_exactly_its_story(town: Town, scenario: Scenario) -> None:
    expected = STORIES[scenario]
    # Inventory gives the order up; a version that nobody knows, email does too.
    dead = (scenario in {Scenario.BAD_PAYLOAD, Scenario.PRODUCT_BUG}) + 2 * (
        scenario is Scenario.UNKNOWN_VERSION
    )
    records = len(expected) + (scenario is Scenario.DELIVERED_TWICE) + dead

    placed = place_order(town.publisher, "ORD-1", scenario)
    story = town.story(placed.correlation_id, records)

    assert chain(story) == expected
    assert len(story) == records
    assert {told.record.key for told in story} == {placed.order_id.encode()}
    topics = [told.record.topic.removesuffix(".dlq") for told in story]
    assert topics == [TOPIC_OF[told.envelope["eventType"]] for told in story]
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

    def skipping() -> bool:
        skipped = [line for line in caplog.messages if "Skipping duplicate event" in line]
        return {line.partition(":")[0] for line in skipped} == {"inventory", "email"}

    # Each of them comes to the second copy in its own time.
    wait_for(skipping, "two who skip it")


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


def test_what_cannot_be_handled_dies_after_its_retries_and_names_the_cause(town: Town) -> None:
    placed = place_order(town.publisher, "ORD-7", Scenario.PRODUCT_BUG)

    story = town.story(placed.correlation_id, 3)

    dead = next(told.record for told in story if told.record.topic == "orders.dlq")
    attempt = attempt_of(dead)
    assert attempt is not None
    failure = attempt.failure
    assert failure is not None
    assert (failure.consumer, failure.exception, failure.message) == (
        "inventory",
        "NoShelfError",
        "no shelf for product PIANO",
    )
    assert (failure.attempts, failure.max_attempts) == (4, 4)
    assert failure.source == f"orders[{placed.coordinates.partition}]@{placed.coordinates.offset}"
    assert "_look_up" in (failure.stack or "")


def test_a_dead_letter_goes_on_when_it_is_sent_again_and_the_gateway_is_up(town: Town) -> None:
    town.store.turn(gateway.SWITCH, on=False)
    placed = place_order(town.publisher, "ORD-8", Scenario.GATEWAY_DOWN)
    story = town.story(placed.correlation_id, 4)
    dead = next(told.record for told in story if told.record.topic.endswith(".dlq"))
    town.store.turn(gateway.SWITCH, on=True)

    producer = Producer([town.broker], client_id="retry")
    producer.send("inventory", dead.key, dead.value, []).coordinates()
    producer.close()

    again = town.story(placed.correlation_id, len(WELL) + 2)
    assert chain(again) == WELL


def test_who_is_killed_between_effect_and_mark_says_the_same_again(tmp_path: Path) -> None:
    """The effect is in Kafka, the mark is not: the event is handled again, to no harm."""
    path = tmp_path / "shop"
    command = [sys.executable, "-m", "tests.integration.killed_shop", str(path)]
    with (
        embedded_broker(tmp_path) as broker,
        Process("shop", [*command, broker], tmp_path / "shop.log") as shop,
    ):
        shop.wait_until(lambda: "open" in shop.output, "an open shop")
        producer = Producer([broker], client_id="test")
        publisher = Publisher(producer, source=SOURCE, tracer=tracer_of(SOURCE))
        placed = place_order(publisher, "ORD-9", Scenario.FINE)
        assert shop.wait() == -signal.SIGKILL
        topics = sorted(set(TOPIC_OF.values()))
        listener = GroupConsumer([broker], group="ear", topics=topics, session_timeout_ms=2_000)
        with Shop([broker], rate=0, tracer_of=tracer_of, store=Store(path)):
            town = Town(broker, producer, listener, Store(path))

            def reserved() -> list[Told]:
                """Return inventory's messages once the story is whole; others may repeat theirs."""
                story = town.story(placed.correlation_id, len(WELL) + 1)
                found = [told for told in story if told.envelope["eventType"] == "StockReserved"]
                return found if chain(story) == WELL and len(found) > 1 else []

            said = wait_for(reserved, "the whole story, with stock that is reserved twice")
        listener.close()
        producer.close()

    assert len(said) == 2
    assert len({told.envelope["eventId"] for told in said}) == 1
