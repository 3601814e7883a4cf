"""What a saga's page says: flags, reasons and steps to come in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.domain.saga.facts import facts
from tests.unit.domain.saga.test_derive import SAGAS
from tracing.domain.saga.derive import derive
from tracing.domain.saga.instance import Flag
from tracing.domain.saga.parsing import parse
from tracing.web.sagas import words

if TYPE_CHECKING:
    from tracing.domain.facts import Fact
    from tracing.domain.saga.instance import Instance

TURNED = "OrderPlaced StockReserved PaymentProcessed ShipmentFailed"
ORDER = parse(
    """
saga: Order
starts: OrderPlaced
steps:
  - name: Reserve stock
    success: StockReserved
    failure: StockReservationFailed
    timeout: 10s
    compensation:
      {name: Release stock, success: StockReleased, failure: ReleaseFailed, timeout: 10s}
  - name: Process payment
    success: PaymentProcessed
    failure: PaymentFailed
    timeout: 30s
    compensation: {name: Refund payment, success: PaymentRefunded}
  - {name: Create shipment, success: ShipmentCreated, failure: ShipmentFailed}
ends: {completed: OrderCompleted, cancelled: OrderCancelled, timeout: 10s}
"""
)


def saga(text: str) -> Instance:
    found = derive(facts(text), ORDER)
    assert found is not None
    return found


def because(fact: Fact) -> str:
    return "no carrier" if fact.type == "ShipmentFailed" else ""


def odd(text: str, *, now_s: float = 0) -> list[str]:
    said = words.flags_of(saga(text), ORDER, "ORD-1042", because, now_ms=round(now_s * 1_000))
    return [
        f"{one.text}{' …' if one.late_ms is not None else ''} {one.rest}".strip() for one in said
    ]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("OrderPlaced StockReserved", "To come: Process payment, Create shipment, COMPLETED."),
        ("OrderPlaced StockReserved PaymentFailed", "Going back: Release stock, CANCELLED."),
        ("OrderPlaced StockReserved PaymentFailed StockReleased", ""),
        ("OrderPlaced OrderCancelled", ""),
    ],
)
def test_it_says_what_is_to_come(events: str, expected: str) -> None:
    assert words.to_come(saga(events)) == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("OrderSubmitted", "Nobody is at work: its command ReserveStock has not come."),
        ("OrderSubmitted ReserveStock", ""),
        (
            "OrderSubmitted ReserveStock StockReserved ProcessPayment PaymentFailed",
            "Nobody is at work: its command ReleaseStock has not come.",
        ),
        ("OrderSubmitted OrderCancelled", ""),
    ],
)
def test_it_says_when_nobody_was_asked(events: str, expected: str) -> None:
    orchestrated = parse((SAGAS / "orchestrated-order.yaml").read_text())
    found = derive(facts(events), orchestrated)

    assert found is not None
    assert words.unasked(found, orchestrated) == expected
    assert words.unasked(saga("OrderPlaced"), ORDER) == ""


def test_it_says_what_happened_and_why() -> None:
    gone = "OrderPlaced StockReserved PaymentProcessed ShipmentFailed"

    assert words.story(saga(gone), because) == "Create shipment failed, no carrier."
    assert words.story(saga(f"{gone} PaymentRefunded StockReleased OrderCancelled"), because) == (
        "Cancelled after 6 s: Create shipment failed, no carrier."
        " Undone: Refund payment, Release stock."
    )
    done = "OrderPlaced StockReserved PaymentProcessed ShipmentCreated OrderCompleted"
    assert words.story(saga(done), because) == "Completed in 4 s: 3 of 3 steps done."


def test_the_cause_is_named_before_the_symptom() -> None:
    orchestrated = parse((SAGAS / "orchestrated-order.yaml").read_text())
    events = "OrderSubmitted ReserveStock StockReserved ProcessPayment PaymentProcessed"
    events += " CreateShipment ShipmentFailed RefundPayment PaymentRefundFailed"
    found = derive(facts(events), orchestrated)
    reasons = {"PaymentRefundFailed": "account closed", "ShipmentFailed": "no carrier"}

    assert found is not None
    assert words.story(found, lambda fact: reasons.get(fact.type, "")) == (
        "Refund payment failed: account closed. Release stock was not asked for yet."
        " It turned back because Create shipment failed, no carrier."
    )
    assert words.for_a_person(found)
    assert words.to_come(found) == words.unasked(found, orchestrated) == ""
    said = list(words.flags_of(found, orchestrated, "ORD-1", lambda _: "", now_ms=10**9))
    assert [one.code for one in said] == ["failed_compensation"]
    assert said[0].again is not None
    assert said[0].again.type == "RefundPayment"


def test_what_was_never_undone_is_not_called_nothing() -> None:
    told = words.story(saga("OrderPlaced StockReserved PaymentFailed OrderCancelled"), because)

    assert told == (
        "Cancelled after 3 s: Process payment failed. Not undone: Release stock never came."
    )
    half = words.story(saga(f"{TURNED} StockReleased OrderCancelled"), because)
    assert half == (
        "Cancelled after 5 s: Create shipment failed, no carrier."
        " Not undone: Refund payment never came. Undone: Release stock."
    )


def test_what_is_held_is_named_without_an_article() -> None:
    assert words.held("Return the export licence") == "still holds its export licence"
    assert words.held("Undo") == "is not undone"


def test_a_late_compensation_says_what_is_still_held() -> None:
    assert odd("OrderPlaced StockReserved PaymentFailed", now_s=20) == [
        "ORD-1042 still holds its stock: “Release stock” is … over its timeout of 10 s."
    ]
    assert odd("OrderPlaced StockReserved PaymentFailed", now_s=5) == []


def test_a_late_step_and_a_late_end_are_told() -> None:
    assert odd("OrderPlaced", now_s=11) == [
        "ORD-1042 waits for “Reserve stock”: it is … over its timeout of 10 s."
    ]
    all_done = "OrderPlaced StockReserved PaymentProcessed ShipmentCreated"
    assert odd(all_done, now_s=60) == [
        "ORD-1042 has not ended: “COMPLETED” is … over its timeout of 10 s."
    ]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (
            "OrderPlaced StockReserved PaymentFailed OrderCancelled",
            "ORD-1042 was cancelled and still holds its stock: “Release stock” never came.",
        ),
        (
            "OrderPlaced StockReserved PaymentFailed ReleaseFailed",
            "ORD-1042 still holds its stock: “Release stock” failed.",
        ),
        (
            f"{TURNED} StockReleased PaymentRefunded",
            "“Release stock” came too early: what a later step did was undone after it.",
        ),
        (
            "OrderPlaced PaymentProcessed ShipmentCreated OrderCompleted",
            "“Reserve stock” was skipped: a later step was done without it.",
        ),
        (
            "OrderPlaced StockReservationFailed OrderCancelled PaymentProcessed",
            "ORD-1042 went on after its end: events came that belong before it.",
        ),
    ],
)
def test_every_flag_has_words(events: str, expected: str) -> None:
    assert expected in odd(events)


def test_many_sagas_with_a_flag_have_a_title() -> None:
    missing = words.flag_title(Flag.MISSING_COMPENSATION, "Process payment", ORDER)

    assert missing == "payment processed, never refunded"
    assert words.flag_title(Flag.FAILED_COMPENSATION, "Reserve stock", ORDER) == (
        "Release stock failed"
    )
    assert words.flag_title(Flag.SKIPPED_STEP, "Reserve stock", None) == "Reserve stock: skipped"
    assert set(words.FLAGS) == set(Flag)


@pytest.mark.parametrize(
    ("undo", "held"),
    [
        ("Release stock", "still holds its stock"),
        ("Cancel Flight", "still holds its flight"),
        ("Undo", "is not undone"),
    ],
)
def test_what_is_held_comes_from_the_name(undo: str, held: str) -> None:
    assert words.held(undo) == held
