"""A saga's state by its events alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.domain.saga.facts import fact, facts
from tracing.domain.saga.definition import Definition
from tracing.domain.saga.derive import derive
from tracing.domain.saga.instance import Flag, Flagged, Instance, Phase, Status
from tracing.domain.saga.parsing import parse

SAGAS = Path(__file__).parents[4] / "tracing" / "demo" / "sagas"
SHOP = parse((SAGAS / "order.yaml").read_text())
ORCHESTRATED = parse((SAGAS / "orchestrated-order.yaml").read_text())
TRIP = parse(
    """
saga: Trip
starts: TripRequested
steps:
  - parallel:
      - {name: Book flight, success: FlightBooked, timeout: 1m,
         compensation: {name: Cancel flight, success: FlightCancelled}}
      - {name: Book hotel, success: HotelBooked, failure: HotelFull, timeout: 30s,
         compensation: {name: Cancel hotel, success: HotelCancelled}}
  - {name: Rent car, success: CarRented, failure: NoCar}
"""
)


UNDONE_BUT_PAID = "OrderSubmitted StockReserved PaymentProcessed ShipmentFailed StockReleased"


def saga(text: str, definition: Definition = SHOP) -> Instance:
    found = derive(facts(text), definition)
    assert found is not None
    return found


def statuses(one: Instance) -> list[str]:
    return [step.status.value for step in one.steps]


def undoings(one: Instance) -> list[str]:
    return [step.compensation.status.value if step.compensation else "" for step in one.steps]


def test_there_is_none_before_its_starting_event() -> None:
    assert derive(facts("StockReserved PaymentProcessed"), SHOP) is None


def test_it_waits_for_the_first_step() -> None:
    one = saga("OrderPlaced@100")

    assert (one.state, one.phase, one.step) == ("PENDING", Phase.RUNNING, "Reserve stock")
    assert (one.since_ms, one.timeout_at_ms) == (100_000, 110_000)
    assert statuses(one) == ["running", "waiting", "waiting"]
    assert one.to_come == ("Reserve stock", "Process payment", "Create shipment", "COMPLETED")


def test_it_goes_forward_step_by_step() -> None:
    one = saga("OrderPlaced StockReserved PaymentProcessed@3.5")

    assert one.state == "PAYMENT_PROCESSED"
    assert statuses(one) == ["done", "done", "running"]
    assert [step.duration_us for step in one.steps] == [1_000_000, 2_500_000, None]
    assert [change.state for change in one.history] == [
        "PENDING",
        "STOCK_RESERVED",
        "PAYMENT_PROCESSED",
    ]


def test_it_is_completed_by_its_end() -> None:
    one = saga("OrderPlaced StockReserved PaymentProcessed ShipmentCreated")
    assert (one.phase, one.step, one.timeout_at_ms) == (Phase.RUNNING, "COMPLETED", 13_000)

    one = saga("OrderPlaced StockReserved PaymentProcessed ShipmentCreated OrderCompleted")
    assert (one.state, one.phase, one.ended_ms) == ("COMPLETED", Phase.COMPLETED, 4_000)
    assert (one.step, one.timeout_at_ms, one.to_come, one.flags) == ("", None, (), ())


def test_a_failure_turns_it_back() -> None:
    one = saga("OrderPlaced StockReserved PaymentFailed@4")

    assert (one.state, one.phase, one.step) == (
        "COMPENSATING",
        Phase.COMPENSATING,
        "Release stock",
    )
    assert statuses(one) == ["done", "failed", "not_reached"]
    assert undoings(one) == ["running", "not_needed", ""]
    assert (one.since_ms, one.timeout_at_ms) == (4_000, 14_000)
    assert one.failure is not None
    assert one.failure.type == "PaymentFailed"
    assert one.to_come == ("Release stock", "CANCELLED")


def test_it_is_cancelled_when_all_is_undone() -> None:
    one = saga("OrderPlaced StockReserved PaymentFailed StockReleased OrderCancelled")

    assert (one.state, one.phase, one.flags) == ("CANCELLED", Phase.CANCELLED, ())
    assert undoings(one) == ["done", "not_needed", ""]


def test_half_a_step_may_be_undone() -> None:
    one = saga("OrderPlaced StockReservationFailed StockReleased OrderCancelled")

    assert statuses(one) == ["failed", "not_reached", "not_reached"]
    assert one.flags == ()


def test_compensations_come_in_reverse_order() -> None:
    text = "OrderSubmitted ReserveStock StockReserved ProcessPayment PaymentProcessed"
    text += " CreateShipment ShipmentFailed RefundPayment"
    one = saga(text, ORCHESTRATED)
    assert (one.step, undoings(one)) == ("Refund payment", ["waiting", "running", ""])

    one = saga(text + " PaymentRefunded", ORCHESTRATED)
    assert (one.step, undoings(one)) == ("Release stock", ["running", "done", ""])
    assert one.since_ms == 8_000


def test_the_command_begins_a_step() -> None:
    one = saga("OrderSubmitted@0 ReserveStock@2 StockReserved@3", ORCHESTRATED)

    assert one.steps[0].duration_us == 1_000_000
    assert one.steps[0].command is not None


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        # The payment was taken, and nobody gave it back.
        (
            f"{UNDONE_BUT_PAID} OrderCancelled",
            Flagged(Flag.MISSING_COMPENSATION, 1),
        ),
        (
            "OrderSubmitted StockReserved PaymentFailed StockReleaseFailed",
            Flagged(Flag.FAILED_COMPENSATION, 0),
        ),
        (
            "OrderSubmitted StockReserved PaymentFailed StockReleased StockReleased",
            Flagged(Flag.DOUBLED_COMPENSATION, 0),
        ),
        (
            f"{UNDONE_BUT_PAID} PaymentRefunded",
            Flagged(Flag.MISORDERED_COMPENSATION, 0),
        ),
        (
            "OrderSubmitted StockReserved PaymentFailed PaymentRefunded@9 StockReleased",
            Flagged(Flag.MISORDERED_COMPENSATION, 0),
        ),
        ("OrderSubmitted PaymentRefunded", Flagged(Flag.UNEXPECTED_COMPENSATION, 1)),
        ("OrderSubmitted StockReserved StockReserved", Flagged(Flag.DOUBLED_STEP, 0)),
        ("OrderSubmitted PaymentProcessed", Flagged(Flag.SKIPPED_STEP, 0)),
        (
            "OrderSubmitted StockReserved StockReservationFailed",
            Flagged(Flag.CONTRADICTED_STEP, 0),
        ),
        ("OrderSubmitted OrderCancelled StockReserved", Flagged(Flag.AFTER_THE_END)),
    ],
)
def test_it_flags(text: str, flag: Flagged) -> None:
    assert flag in saga(text, ORCHESTRATED).flags


def test_a_failed_compensation_is_a_phase_of_its_own() -> None:
    one = saga("OrderPlaced StockReserved PaymentFailed StockReleaseFailed")

    assert (one.state, one.phase) == ("COMPENSATION_FAILED", Phase.FAILED)
    # It waits for a person, and for nobody's clock.
    assert (one.step, one.timeout_at_ms) == ("Release stock", None)


def test_nobody_is_late_with_what_was_not_asked_for() -> None:
    text = "OrderSubmitted ReserveStock StockReserved ProcessPayment PaymentProcessed"
    text += " CreateShipment ShipmentFailed RefundPayment PaymentRefundFailed"
    one = saga(text, ORCHESTRATED)

    assert undoings(one) == ["waiting", "failed", ""]
    assert (one.step, one.since_ms, one.timeout_at_ms) == ("Refund payment", 8_000, None)

    # Asked for, it runs; done by somebody after all, the saga goes on.
    assert saga(f"{text} ReleaseStock", ORCHESTRATED).step == "Release stock"
    assert saga(f"{text} PaymentRefunded", ORCHESTRATED).step == "Release stock"


def test_by_choreography_a_failed_compensation_holds_up_nobody() -> None:
    one = saga("OrderPlaced StockReserved PaymentProcessed ShipmentFailed PaymentRefundFailed")

    assert (one.step, undoings(one)) == ("Release stock", ["running", "failed", ""])


def test_a_late_failure_does_not_undo_a_success() -> None:
    text = "OrderPlaced StockReserved StockReservationFailed"

    assert saga(text).state == "STOCK_RESERVED"
    assert saga(text).phase is Phase.RUNNING
    assert saga(text).failure is None


def test_events_after_the_end_change_no_state() -> None:
    text = "OrderPlaced StockReserved PaymentFailed StockReleased OrderCancelled"
    one = saga(f"{text} PaymentProcessed OrderCompleted")

    assert one.phase is Phase.CANCELLED
    assert one.ended_ms == 4_000
    assert Flagged(Flag.AFTER_THE_END) in one.flags


def test_steps_of_a_group_run_in_parallel() -> None:
    one = saga("TripRequested HotelBooked", TRIP)
    assert statuses(one) == ["running", "done", "waiting"]
    assert one.timeout_at_ms == 60_000

    one = saga("TripRequested HotelBooked FlightBooked CarRented", TRIP)
    assert (one.phase, one.state) == (Phase.COMPLETED, "COMPLETED")


def test_without_an_end_the_last_compensation_ends_it() -> None:
    text = "TripRequested FlightBooked HotelFull"
    assert saga(text, TRIP).phase is Phase.COMPENSATING

    one = saga(f"{text} FlightCancelled", TRIP)
    assert (one.phase, one.ended_ms) == (Phase.CANCELLED, 3_000)


def test_parallel_compensations_have_no_order() -> None:
    text = "TripRequested FlightBooked HotelBooked NoCar"
    one = saga(f"{text} FlightCancelled HotelCancelled", TRIP)
    other = saga(f"{text} HotelCancelled FlightCancelled", TRIP)

    assert one.flags == other.flags == ()


def test_a_copy_is_no_second_event() -> None:
    events = [
        *facts("OrderPlaced"),
        fact("StockReserved", 1, event="a"),
        fact("StockReserved", 2, event="a"),
    ]
    one = derive(events, SHOP)

    assert one is not None
    assert one.flags == ()
    assert one.last_ms == 2_000


def test_a_thousand_steps_are_derived() -> None:
    lines = [f"  - {{name: Step {n}, success: Done{n}, timeout: 1m}}" for n in range(1_000)]
    long = parse("saga: Long\nstarts: Begun\nsteps:\n" + "\n".join(lines))
    one = saga("Begun " + " ".join(f"Done{n}" for n in range(999)), long)

    assert one.step == "Step 999"
    assert sum(step.status is Status.DONE for step in one.steps) == 999
