"""A definition is read from YAML or JSON, and an error says where and what to write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tracing.domain.saga.document import BadDefinitionError
from tracing.domain.saga.kinds import Kind, kind_of
from tracing.domain.saga.parsing import parse

GOOD = """\
saga: Trip
starts: TripRequested
key: $.tripId
steps:
  - name: Book flight
    success: FlightBooked
    failure: [FlightFull, NoFlight]
    timeout: 1.5m
    compensation:
      name: Cancel flight
      success: FlightCancelled
  - parallel:
      - {name: Book hotel, success: HotelBooked, command: BookHotel}
      - {name: Rent car, success: CarRented, state: ALL_SET}
ends:
  completed: TripBooked
"""


def test_yaml_is_read() -> None:
    trip = parse(GOOD)

    assert (trip.name, trip.starts, trip.key) == ("Trip", ("TripRequested",), "$.tripId")
    assert [step.group for step in trip.steps] == [0, 1, 1]
    assert [step.state for step in trip.steps] == ["FLIGHT_BOOKED", "HOTEL_BOOKED", "ALL_SET"]
    assert trip.steps[0].timeout_ms == 90_000
    assert trip.steps[0].failure == ("FlightFull", "NoFlight")
    assert trip.commands == {"BookHotel"}
    assert trip.replies == {"HotelBooked"}


def test_a_definition_says_what_its_types_do_in_a_flow() -> None:
    trip = parse(GOOD)

    assert {"FlightFull", "NoFlight"} <= trip.roles.failed
    assert trip.roles.ended == {"TripBooked"}


@pytest.mark.parametrize(("grouped", "ended"), [(False, {"CarRented"}), (True, set())])
def test_without_a_declared_end_only_a_last_step_that_stands_alone_ends_a_flow(
    grouped: bool, ended: set[str]
) -> None:
    steps = [
        {
            "name": "Book",
            "success": "HotelBooked",
            "compensation": {"name": "Free", "success": "RoomFreed", "failure": "RoomKept"},
        },
        {"name": "Rent", "success": "CarRented"},
    ]
    held = [{"parallel": steps}] if grouped else steps

    roles = parse(json.dumps({"saga": "Trip", "starts": "Asked", "steps": held})).roles

    assert roles.ended == ended
    assert roles.undone == {"RoomFreed"}
    assert roles.failed == {"RoomKept"}


def test_json_is_read_with_tabs_too() -> None:
    steps = [{"name": "Pay", "success": "Paid", "timeout": "30s"}]
    text = json.dumps({"saga": 'Shop "1"', "starts": "Placed", "steps": steps}, indent="\t")

    assert parse(text).steps[0].timeout_ms == 30_000
    assert parse(text).name == 'Shop "1"'


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("    timeout: 1.5m", "    timout: 1.5m", 8, "did you mean `timeout`?"),
        ("timeout: 1.5m", "timeout: soon", 8, "`soon` is no time; write a number and"),
        ("timeout: 1.5m", "timeout: 400d", 8, "from 1ms to 366d"),
        ("    success: FlightBooked\n", "", 5, "`success` is missing in the step `Book flight`"),
        ("key: $.tripId", "key: tripId", 3, "write `correlation`, `key` (the record's)"),
        ("success: CarRented", "success: HotelBooked", 14, "as well; give each its own event"),
        ("name: Rent car", "name: Book hotel", 14, "two steps or compensations are named"),
        ("completed: TripBooked", "completed: X\n  cancelled: X", 17, "choose one"),
        ("starts: TripRequested\n", "", 1, "`starts` is missing"),
        ("starts: TripRequested", "starts: []", 2, "lists 1 to 20 event types"),
        ("starts: TripRequested", "starts: &a TripRequested", 2, "anchors"),
        ("saga: Trip", "saga: Trip\nsaga: Trap", 2, "written twice"),
        ("saga: Trip", "saga: {a: b}", 1, "`saga` is one text"),
        ("saga: Trip", "saga: Trip: Two", 1, "mapping values are not allowed"),
        ("ends:\n", "ends: TripBooked\nend:\n", 16, "did you mean `ends`?"),
        ("completed: TripBooked", "complete: TripBooked", 16, "did you mean `completed`?"),
    ],
)
def test_an_error_names_its_line(old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD

    with pytest.raises(BadDefinitionError, match="cannot be used") as caught:
        parse(GOOD.replace(old, new, 1))

    assert (caught.value.line, words in caught.value.words) == (line, True), caught.value


@pytest.mark.parametrize("text", ["", "#", "- a", "x", "saga: A\n---\nsaga: B", "\x00", "[" * 50])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(BadDefinitionError):
        parse(text)


def test_it_is_bounded() -> None:
    many = "".join(f"  - {{name: S{n}, success: D{n}}}\n" for n in range(1_001))

    with pytest.raises(BadDefinitionError, match="more than 1,000 steps"):
        parse(f"saga: A\nstarts: B\nsteps:\n{many}")
    with pytest.raises(BadDefinitionError, match="more than 1,000,000 characters"):
        parse("#" * 1_000_001)


@share(40)
@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    for whole in (text, f"saga: {text}", GOOD + text, GOOD.replace("Trip", text)):
        try:
            parse(whole)
        except BadDefinitionError as error:
            assert error.line >= 1  # noqa: PT017


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        ("ReserveStock", Kind.COMMAND),
        ("com.shop.ProcessPayment.v2", Kind.COMMAND),
        ("refund", Kind.EVENT),
        ("StockReserved", Kind.EVENT),
        ("OrderPlaced", Kind.EVENT),
        ("OrderCancelled", Kind.EVENT),
        ("ReserveStockFailed", Kind.EVENT),
        ("CreateShipment", Kind.COMMAND),
    ],
)
def test_a_name_in_the_imperative_is_a_command(event_type: str, kind: Kind) -> None:
    assert kind_of(event_type) is kind


def test_a_definition_decides_before_the_name_and_the_header_after_it() -> None:
    assert kind_of("OrderPlaced", commands={"OrderPlaced"}) is Kind.COMMAND
    assert kind_of("StockReserved", replies={"StockReserved"}) is Kind.REPLY
    assert kind_of("Something", header="Reply") is Kind.REPLY
    assert kind_of("Something", header="nonsense") is Kind.EVENT
    assert kind_of("ReserveStock", header="event") is Kind.COMMAND
