"""Alerts on sagas: once an instance and cause, by the table that the dead letters' use."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.integration.sagas import START_MS, events, put
from tests.unit.domain.saga.test_derive import SAGAS
from tracing.alerts.sagas import NEWS_MS, watch_sagas
from tracing.models import Alert, AlertMute
from tracing.projections.saga_decisions import declare

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
# The first step may take 10 s; with nothing moving for a minute more it is stuck.
OVERDUE_MS, STUCK_MS = START_MS + 30_000, START_MS + 71_000


@pytest.fixture(autouse=True)
def shop() -> None:
    """Declare the choreographed shop."""
    text = (SAGAS / "order.yaml").read_text()
    declare(text, by="test", valid_from=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))


def test_a_stuck_saga_is_told_once_a_step() -> None:
    put(events("OrderPlaced", flow="ORD-1"))

    assert watch_sagas(OVERDUE_MS) == 0
    assert [watch_sagas(STUCK_MS), watch_sagas(STUCK_MS + 5_000)] == [1, 0]
    alert = Alert.objects.get()
    assert (alert.kind, alert.title) == ("stuck", "Order ORD-1 is stuck at Reserve stock")
    assert "Reserve stock: 61 s over its timeout" in alert.text
    assert alert.url.startswith("/sagas/")
    put(events("StockReserved@80", flow="ORD-1"))
    assert watch_sagas(STUCK_MS + 100_000) == 1
    assert "Process payment" in Alert.objects.latest("id").title


def test_a_failed_compensation_is_told_once() -> None:
    put(events("OrderPlaced StockReserved", flow="ORD-2"))
    put(events("PaymentFailed@3", flow="ORD-2", payload={"reason": "card_declined"}))
    put(events("StockReleaseFailed@4", flow="ORD-2", payload={"reason": "shelf_locked"}))

    assert [watch_sagas(OVERDUE_MS - 20_000), watch_sagas(OVERDUE_MS - 19_000)] == [1, 0]
    alert = Alert.objects.get()
    assert (alert.kind, alert.title) == ("not-undone", "Release stock failed for ORD-2")
    assert "Release stock failed: shelf_locked" in alert.text
    assert "It turned back because of: card_declined" in alert.text


def test_a_step_that_was_never_undone_is_told_once() -> None:
    cancelled = "OrderPlaced StockReserved PaymentProcessed ShipmentFailed StockReleased@4"
    put(events(f"{cancelled} OrderCancelled@5", flow="ORD-5"))

    # What undoes it may be read a moment after the end.
    assert watch_sagas(START_MS + 6_000) == 0
    assert [watch_sagas(OVERDUE_MS), watch_sagas(OVERDUE_MS + 1_000)] == [1, 0]
    alert = Alert.objects.get()
    title = "Payment still processed: Refund payment never came for ORD-5"
    assert (alert.kind, alert.title) == ("not-undone", title)
    assert "Process payment was done and never undone" in alert.text


def test_an_end_is_no_step_to_be_stuck_at() -> None:
    put(events("OrderPlaced StockReserved PaymentFailed StockReleased", flow="ORD-6"))

    assert watch_sagas(STUCK_MS + 60_000) == 1
    title = "Order ORD-6 has not ended: everything is undone, CANCELLED has not come"
    assert Alert.objects.get().title == title


def test_each_compensation_that_fails_is_told() -> None:
    paid = "OrderPlaced StockReserved PaymentProcessed ShipmentFailed"
    put(events(f"{paid} PaymentRefundFailed", flow="ORD-2"))
    assert watch_sagas(OVERDUE_MS) == 1

    put(events("StockReleaseFailed@6", flow="ORD-2"))

    assert [watch_sagas(OVERDUE_MS), watch_sagas(OVERDUE_MS)] == [1, 0]
    titles = list(Alert.objects.order_by("id").values_list("title", flat=True))
    assert titles == ["Refund payment failed for ORD-2", "Release stock failed for ORD-2"]


def test_history_and_muted_definitions_are_not_told() -> None:
    put(events("OrderPlaced", flow="ORD-3"))

    assert watch_sagas(STUCK_MS + 2 * NEWS_MS) == 0
    assert watch_sagas(STUCK_MS) == 1
    subject = Alert.objects.get().subject
    AlertMute.objects.create(
        subject=subject, made_by="ada", made_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    )
    put(events("OrderPlaced", flow="ORD-4"))
    assert watch_sagas(STUCK_MS) == 1
    assert Alert.objects.latest("id").muted
