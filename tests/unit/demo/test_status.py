"""What the customer reads follows from what happened, in whatever order it is told."""

from __future__ import annotations

import itertools

import pytest

from tracing.demo.status import Status, order_status
from tracing.domain.event import Event


def event(event_type: str, at_ms: int = 0, reason: str | None = None) -> Event:
    return Event(
        topic="orders",
        partition=0,
        offset=at_ms,
        event_id=event_type,
        correlation_id="flow",
        joined_by="correlation",
        causation_id=None,
        type=event_type,
        service="order",
        schema_version="1",
        timestamp_ms=at_ms,
        occurred_us=at_ms * 1_000,
        key="ORD-1042",
        reason=reason,
        dialect="native",
    )


WELL = (
    ("OrderPlaced", Status.PENDING),
    ("StockReserved", Status.CONFIRMED),
    ("PaymentProcessed", Status.PROCESSING),
    ("ShipmentCreated", Status.SHIPPED),
    ("OrderCompleted", Status.COMPLETED),
)


def test_it_is_pending_before_anything_is_stored() -> None:
    found = order_status([])

    assert found.status is Status.PENDING
    assert found.sentence == "Order received! We'll confirm availability shortly."
    assert found.last_updated_ms is None
    assert [step.state for step in found.milestones] == ["done", "running", "quiet", "quiet"]


@pytest.mark.parametrize("steps", range(1, len(WELL) + 1))
def test_it_gets_further_with_each_step(steps: int) -> None:
    events = [event(kind, at_ms) for at_ms, (kind, _) in enumerate(WELL[:steps])]

    found = order_status(events)

    assert found.status is WELL[steps - 1][1]
    assert found.last_updated_ms == steps - 1


def test_it_does_not_depend_on_the_order_of_the_events() -> None:
    events = [
        event("OrderPlaced", 1),
        event("StockReserved", 2),
        event("PaymentFailed", 3, "card_declined"),
        event("StockReleased", 4),
        event("OrderCancelled", 5, "card_declined"),
    ]

    told = {order_status(order) for order in itertools.permutations(events)}

    assert len(told) == 1


def test_it_says_why_an_order_is_cancelled() -> None:
    placed, failed = event("OrderPlaced"), event("PaymentFailed", 1, "card_declined")
    reserved, released = event("StockReserved"), event("StockReleased", 2, "card_declined")

    before = order_status([placed, reserved, failed])
    after = order_status([placed, reserved, failed, released, event("OrderCancelled", 3)])

    assert before.sentence == "Your card was declined. We're cancelling your order."
    assert after.status is Status.CANCELLED
    assert after.sentence.startswith("Your card was declined. Your order was cancelled")
    assert [step.state for step in after.milestones] == ["done", "compensated", "failed", "quiet"]


def test_an_order_that_cannot_be_undone_waits_for_a_person() -> None:
    events = [
        event("OrderPlaced", 1),
        event("StockReserved", 2),
        event("PaymentFailed", 3, "card_declined"),
        event("StockReleaseFailed", 4, "warehouse_unreachable"),
    ]

    told = {order_status(order) for order in itertools.permutations(events)}

    [found] = told
    assert found.status is Status.ON_HOLD
    assert found.tone == "fail"
    assert found.sentence.startswith("Your card was declined. Undoing your order failed too")
    assert [step.state for step in found.milestones] == ["done", "done", "failed", "quiet"]


def test_an_email_does_not_count_as_an_update() -> None:
    assert (
        order_status([event("OrderPlaced", 1), event("NotificationSent", 9)]).last_updated_ms == 1
    )


def test_a_strangers_reason_is_told_as_it_is() -> None:
    found = order_status([event("PaymentFailed", 1, "{} <b>no</b>")])

    assert found.sentence == "{} <b>no</b> We're cancelling your order."
