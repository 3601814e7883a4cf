"""Each service plays its part in a scenario, and a stranger's payload breaks none."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tracing.demo.events import TOPIC_OF
from tracing.demo.publishing import ShopEvent
from tracing.demo.scenarios import PLAYS, Scenario
from tracing.demo.service import Reply
from tracing.demo.services import SERVICES
from tracing.demo.traffic import scenarios

HANDLERS = {service.name: service.handlers for service in SERVICES}


def event(event_type: str, **payload: Any) -> ShopEvent:
    return ShopEvent(
        event_id="e-1",
        event_type=event_type,
        schema_version="1",
        timestamp="2026-01-01T00:00:00Z",
        correlation_id="c-1",
        payload=payload,
    )


def reply(service: str, event_type: str, **payload: Any) -> Reply | None:
    return HANDLERS[service][event_type](event(event_type, **payload))


def said(found: Reply | None) -> str:
    assert found is not None
    return found.event_type


def test_an_item_that_is_missing_gives_back_what_was_set_aside() -> None:
    items = [{"sku": "MUG-07"}, {"sku": "LAMP-01"}]

    failed = reply("inventory", "OrderPlaced", items=items, scenario="out-of-stock")

    assert said(failed) == "StockReservationFailed"
    assert failed is not None
    assert failed.payload["reason"] == "out_of_stock"
    assert failed.payload["missing"] == [{"sku": "LAMP-01"}]
    held = {"reserved": failed.payload["reserved"]}
    assert said(reply("inventory", "StockReservationFailed", **held)) == "StockReleased"
    assert reply("order", "StockReservationFailed", **held) is None


def test_nothing_is_released_where_nothing_was_set_aside() -> None:
    assert reply("inventory", "StockReservationFailed", reserved=[]) is None
    assert said(reply("order", "StockReservationFailed", reserved=[])) == "OrderCancelled"


def test_a_refused_card_says_why() -> None:
    failed = reply("payment", "StockReserved", scenario="payment-declined")

    assert said(failed) == "PaymentFailed"
    assert failed is not None
    assert failed.payload["reason"] == "card_declined"


def test_stock_that_cannot_be_released_says_why_and_nobody_cancels() -> None:
    declined = reply("payment", "StockReserved", scenario="nothing-undone")
    stuck = reply("inventory", "PaymentFailed", scenario="nothing-undone", reason="card_declined")

    assert said(declined) == "PaymentFailed"
    assert said(stuck) == "StockReleaseFailed"
    assert stuck is not None
    assert stuck.payload["reason"] == "warehouse_unreachable"
    assert not any("StockReleaseFailed" in handlers for handlers in HANDLERS.values())


def test_a_slow_payment_takes_seconds_and_others_do_not() -> None:
    slow = reply("payment", "StockReserved", scenario="slow-payment")
    quick = reply("payment", "StockReserved")

    assert slow is not None
    assert quick is not None
    assert 3 < slow.after_s < 5
    assert 0.15 <= quick.after_s <= 0.4


def test_a_step_that_hangs_says_nothing() -> None:
    assert reply("inventory", "ReserveStock", scenario="stock-hangs") is None
    assert reply("payment", "ProcessPayment", scenario="payment-hangs") is None
    assert reply("shipping", "CreateShipment", scenario="shipment-hangs") is None


def test_a_refund_fails_where_it_is_asked_for_and_says_why() -> None:
    refused = reply("payment", "RefundPayment", scenario="refund-fails")

    assert said(reply("shipping", "CreateShipment", scenario="refund-fails")) == "ShipmentFailed"
    assert said(refused) == "PaymentRefundFailed"
    assert refused is not None
    assert refused.payload["reason"] == "account_closed"
    assert said(reply("payment", "RefundPayment")) == "PaymentRefunded"


def test_the_first_email_waits_for_the_last_when_out_of_order() -> None:
    stuck = reply("email", "OrderPlaced", scenario="out-of-order")
    usual = reply("email", "OrderPlaced")

    assert stuck is not None
    assert usual is not None
    assert stuck.overtaken_by == "NotificationSent"
    assert usual.overtaken_by is None


@pytest.mark.parametrize(
    "payload",
    [{}, {"items": "all of them"}, {"items": [1, None]}, {"scenario": ["?"], "reserved": 3}],
)
def test_any_payload_of_a_stranger_gets_an_answer_of_the_table(payload: dict[str, Any]) -> None:
    for handlers in HANDLERS.values():
        for event_type, handler in handlers.items():
            found = handler(event(event_type, **payload))
            assert found is None or found.event_type in TOPIC_OF


def test_each_service_tells_what_the_page_says_of_it_and_nothing_else() -> None:
    for service in SERVICES:
        assert service.tells.keys() == service.handlers.keys()
        for heard, handler in service.handlers.items():
            found = {
                answer.event_type
                for scenario in Scenario
                for reserved in ([], ["LAMP-01"])
                if (answer := handler(event(heard, scenario=scenario, reserved=reserved)))
            }
            assert found == set(service.tells[heard])


def test_somebody_tells_each_event_of_the_table() -> None:
    told = {kind for service in SERVICES for _, kinds in service.answers for kind in kinds}

    assert told == set(TOPIC_OF)


def test_every_scenario_has_its_words_and_comes_up_by_itself() -> None:
    assert set(PLAYS) == set(Scenario)
    assert sum(play.percent for play in PLAYS.values()) == 100
    assert all(play.percent > 0 for play in PLAYS.values())
    first = list(itertools.islice(scenarios(), 7))
    assert first[0] is Scenario.FINE
    assert {Scenario.PAYMENT_DECLINED, Scenario.NOTHING_UNDONE} <= set(first)
