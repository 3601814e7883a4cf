"""What the orchestrator does next: exactly the table of the pattern, whatever comes how often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tracing.demo.events import COMMANDS
from tracing.demo.orchestrator.plan import (
    COMPENSATIONS,
    ENDED,
    Saga,
    State,
    Step,
    answers,
    begin,
    react,
    waits_for,
)

REPLIES = sorted({reply for replies in COMMANDS.values() for reply in replies})


def played(*replies: str) -> tuple[Saga, list[str]]:
    """Return the saga after these replies, and all that was said."""
    step: Step | None = begin({"orderId": "ORD-1"})
    assert step is not None
    saga, said = step.saga, [step.say]
    for reply in replies:
        step = react(saga, reply, {})
        if step is not None:
            saga, said = step.saga, [*said, step.say]
    return saga, [word for word in said if word]


def test_the_way_forward() -> None:
    saga, said = played("StockReserved", "PaymentProcessed", "ShipmentCreated")

    assert saga.state is State.COMPLETED
    assert said == ["ReserveStock", "ProcessPayment", "CreateShipment", "OrderCompleted"]


@pytest.mark.parametrize(
    ("state", "forward", "failure", "undone"),
    [
        (
            State.PAYMENT_PROCESSED,
            ["StockReserved", "PaymentProcessed"],
            "ShipmentFailed",
            ["RefundPayment", "ReleaseStock", "CancelOrder"],
        ),
        (State.STOCK_RESERVED, ["StockReserved"], "PaymentFailed", ["ReleaseStock", "CancelOrder"]),
        (State.PENDING, [], "StockReservationFailed", ["CancelOrder"]),
    ],
)
def test_what_is_undone_from_each_state(
    state: State, forward: list[str], failure: str, undone: list[str]
) -> None:
    before, said = played(*forward)
    after, all_said = played(*forward, failure, *(COMMANDS[command][0] for command in undone))

    assert before.state is state
    assert COMPENSATIONS[state] == tuple(undone)
    assert all_said[len(said) :] == undone
    assert after.state is State.CANCELLED
    assert after.undo == ()


def test_only_these_states_can_be_undone() -> None:
    assert set(State) - set(COMPENSATIONS) == set(ENDED)


def test_a_compensation_that_failed_waits_for_its_success() -> None:
    failed = ("StockReserved", "PaymentFailed", "StockReleaseFailed")
    saga, said = played(*failed)
    repaired, all_said = played(*failed, "StockReleased", "OrderCancelled")

    assert waits_for(saga) == "ReleaseStock"
    assert all_said[len(said) :] == ["CancelOrder"]
    assert repaired.state is State.CANCELLED


def test_later_commands_carry_what_earlier_replies_said() -> None:
    saga = begin({"orderId": "ORD-1"}).saga

    step = react(saga, "StockReservationFailed", {"reason": "out_of_stock", "missing": []})

    assert step is not None
    assert step.saga.payload == {"orderId": "ORD-1", "reason": "out_of_stock"}


@share(50)
@given(st.lists(st.sampled_from(REPLIES), max_size=30))
def test_no_command_is_said_twice_whatever_comes(replies: list[str]) -> None:
    saga, said = played(*replies)

    assert len(said) == len(set(said))
    assert (waits_for(saga) is None) == (saga.state in ENDED)
    for again in replies:
        if saga.state in ENDED:
            assert react(saga, again, {}) is None


def test_the_page_tells_the_way_forward() -> None:
    assert answers() == [
        ("OrderSubmitted", "ReserveStock"),
        ("StockReserved", "ProcessPayment"),
        ("PaymentProcessed", "CreateShipment"),
        ("ShipmentCreated", "OrderCompleted"),
    ]
