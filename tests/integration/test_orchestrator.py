"""The orchestrated shop on the embedded broker: commands, replies, and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.town import Town, chain, open_town
from tracing.demo.orders import place_order
from tracing.demo.scenarios import Pattern, Scenario

pytestmark = [pytest.mark.broker, pytest.mark.slow]

SUBMITTED = ("OrderSubmitted", None)
ASKED = ("ReserveStock", "OrderSubmitted")
RESERVED = ("StockReserved", "ReserveStock")
CHARGED = ("ProcessPayment", "StockReserved")
PAID = ("PaymentProcessed", "ProcessPayment")
SHIP = ("CreateShipment", "PaymentProcessed")
RELEASED = ("StockReleased", "ReleaseStock")
CANCELLED = {("CancelOrder", "StockReleased"), ("OrderCancelled", "CancelOrder")}
HELD = {SUBMITTED, ASKED, RESERVED, CHARGED}
WELL = (
    HELD
    | {PAID, SHIP, ("ShipmentCreated", "CreateShipment")}
    | {("OrderCompleted", "ShipmentCreated")}
)
NO_CARRIER = HELD | {
    PAID,
    SHIP,
    ("ShipmentFailed", "CreateShipment"),
    ("RefundPayment", "ShipmentFailed"),
}
DECLINED = HELD | {("PaymentFailed", "ProcessPayment"), ("ReleaseStock", "PaymentFailed")}
STORIES = {
    Scenario.FINE: WELL,
    Scenario.DELIVERED_TWICE: WELL,
    Scenario.OUT_OF_STOCK: {
        SUBMITTED,
        ASKED,
        ("StockReservationFailed", "ReserveStock"),
        ("CancelOrder", "StockReservationFailed"),
        ("OrderCancelled", "CancelOrder"),
    },
    Scenario.PAYMENT_DECLINED: DECLINED | {RELEASED} | CANCELLED,
    Scenario.SHIPMENT_FAILED: NO_CARRIER
    | {("PaymentRefunded", "RefundPayment"), ("ReleaseStock", "PaymentRefunded"), RELEASED}
    | CANCELLED,
    Scenario.NOTHING_UNDONE: DECLINED | {("StockReleaseFailed", "ReleaseStock")},
    Scenario.REFUND_FAILS: NO_CARRIER | {("PaymentRefundFailed", "RefundPayment")},
    Scenario.STOCK_HANGS: {SUBMITTED, ASKED},
    Scenario.PAYMENT_HANGS: HELD,
    Scenario.SHIPMENT_HANGS: HELD | {PAID, SHIP},
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("shop")) as found:
        yield found


@pytest.mark.parametrize("scenario", STORIES)
def test_each_scenario_tells_exactly_its_story(town: Town, scenario: Scenario) -> None:
    expected = STORIES[scenario]
    records = len(expected) + (scenario is Scenario.DELIVERED_TWICE)

    placed = place_order(town.publisher, "ORD-1", scenario, Pattern.ORCHESTRATION)
    story = town.story(placed.correlation_id, records)

    assert chain(story) == expected
    assert len(story) == records
    assert {told.record.key for told in story} == {placed.order_id.encode()}
    assert {told.record.topic for told in story} <= {"saga.orders", "saga.commands", "saga.replies"}
    traces = {told.record.header("traceparent") for told in story}
    assert len({(trace or b"").split(b"-")[1] for trace in traces}) == 1


def test_messages_say_what_they_are_and_by_whom(town: Town) -> None:
    placed = place_order(town.publisher, "ORD-2", Scenario.OUT_OF_STOCK, Pattern.ORCHESTRATION)

    story = town.story(placed.correlation_id, len(STORIES[Scenario.OUT_OF_STOCK]))

    said = {
        told.envelope["eventType"]: (
            told.record.header("source"),
            told.record.header("message-kind"),
        )
        for told in story
    }
    assert said == {
        "OrderSubmitted": (b"order", None),
        "ReserveStock": (b"orchestrator", b"command"),
        "StockReservationFailed": (b"inventory", b"reply"),
        "CancelOrder": (b"orchestrator", b"command"),
        "OrderCancelled": (b"order", b"reply"),
    }


def test_the_reason_travels_to_the_end(town: Town) -> None:
    placed = place_order(town.publisher, "ORD-3", Scenario.SHIPMENT_FAILED, Pattern.ORCHESTRATION)

    story = town.story(placed.correlation_id, len(STORIES[Scenario.SHIPMENT_FAILED]))

    assert story[-1].envelope["eventType"] == "OrderCancelled"
    assert story[-1].envelope["payload"]["reason"] == "no_carrier"


def test_a_compensation_that_is_repaired_goes_on(town: Town) -> None:
    """What a person does: the failed command, edited so that nothing is in its way any more."""
    placed = place_order(town.publisher, "ORD-4", Scenario.NOTHING_UNDONE, Pattern.ORCHESTRATION)
    story = town.story(placed.correlation_id, len(STORIES[Scenario.NOTHING_UNDONE]))
    command = next(told for told in story if told.envelope["eventType"] == "ReleaseStock")

    town.say_again(command, payload=command.envelope["payload"] | {"scenario": "fine"})

    again = town.story(placed.correlation_id, len(story) + 4)
    assert [told.envelope["eventType"] for told in again][-3:] == [
        "StockReleased",
        "CancelOrder",
        "OrderCancelled",
    ]
