"""A flow's row is a function of the set of its facts."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.domain.causality import canonical, edges, marks
from tracing.domain.derive import MAX_NODES, State, derive, derive_large, merge, node_name, sums_of
from tracing.domain.facts import Fact
from tracing.domain.marks import Mark
from tracing.domain.rules import Roles

TYPES = ["OrderPlaced", "StockReserved", "PaymentFailed", "StockReleased", "OrderCompleted"]


def fact(offset: int = 0, **changes: object) -> Fact:
    """Make a fact with everything that a test does not care about."""
    values: dict[str, object] = {
        "topic": "orders",
        "partition": 0,
        "offset": offset,
        "part": 0,
        "event": b"e%d" % offset,
        "cause": None,
        "type": "OrderPlaced",
        "service": "order",
        "time_us": 1_000_000 + offset,
        "timestamp_ms": 1_000 + offset,
        "key": 7,
        "record": offset,
    }
    return Fact(**(values | changes))  # type: ignore[arg-type]


def test_a_failure_that_nothing_took_back_ends_the_flow_failed() -> None:
    told = ("OrderPlaced", "StockReserved", "PaymentFailed", "StockReleaseFailed")

    row = derive([fact(offset, type=kind) for offset, kind in enumerate(told)])

    assert row.state is State.FAILED


def any_fact(raw: bytes) -> Fact:
    """Make a fact of eight numbers: few places, events, causes, types, times and keys."""
    offset, event, cause, kind, topic, time_us, timestamp_ms, key = raw
    return fact(
        offset % 31,
        event=(b"a", b"b", b"c", b"d")[event % 4],
        cause=(None, b"a", b"b", b"z")[cause % 4],
        type=TYPES[kind % len(TYPES)],
        topic=("orders", "stock")[topic % 2],
        time_us=time_us % 6,
        timestamp_ms=timestamp_ms % 4,
        key=(None, 1, 2)[key % 3],
    )


facts = st.lists(
    st.binary(min_size=8, max_size=8).map(any_fact),
    min_size=1,
    max_size=20,
    unique_by=lambda one: one.place,
)


@given(facts, st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_show_in_the_row(held: list[Fact], random: object) -> None:
    shuffled = list(held)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert derive(shuffled) == derive(held)


@given(facts, st.integers(0, 20))
def test_sums_merge_the_same_wherever_they_are_cut(held: list[Fact], cut: int) -> None:
    whole = sums_of(held, records=len(held))
    parts = [part for part in (held[:cut], held[cut:]) if part]

    merged = functools.reduce(merge, (sums_of(part, records=len(part)) for part in parts))

    assert merged == whole


def test_sums_keep_a_bounded_number_of_types_in_any_order() -> None:
    many = [fact(number, type=f"T{number:03}") for number in range(3 * MAX_NODES)]

    forwards = sums_of(many, records=len(many))
    backwards = sums_of(many[::-1], records=len(many))

    assert len(forwards.nodes) == MAX_NODES
    assert node_name("T000", "order") in forwards.nodes
    assert forwards == backwards
    assert forwards.records == len(many)


@pytest.mark.parametrize(
    ("types", "state"),
    [
        (["OrderPlaced"], State.OPEN),
        (["OrderPlaced", "OrderCompleted"], State.DONE),
        (["OrderPlaced", "PaymentFailed"], State.FAILED),
        (["OrderPlaced", "PaymentFailed", "StockReleased"], State.COMPENSATED),
        (["order.payment.declined.v2"], State.FAILED),
        (["OrderCancelled"], State.COMPENSATED),
        (["(no type)", "undecodable"], State.PLAIN),
        (["(no type)", "OrderPlaced"], State.OPEN),
    ],
)
def test_it_tells_the_state_from_the_types(types: list[str], state: State) -> None:
    held = [fact(number, type=name) for number, name in enumerate(types)]

    assert derive(held).state is state


TRIP = Roles(
    failed=frozenset({"SeatGone"}),
    undone=frozenset({"SeatFreed"}),
    ended=frozenset({"TripBooked"}),
)


@pytest.mark.parametrize(
    ("types", "state"),
    [
        (["TripAsked", "TripBooked"], State.DONE),
        (["TripAsked", "SeatGone"], State.FAILED),
        (["TripAsked", "SeatGone", "SeatFreed"], State.COMPENSATED),
        (["TripAsked", "PaymentFailed"], State.FAILED),
        (["TripAsked"], State.OPEN),
    ],
)
def test_what_definitions_say_of_types_counts_beside_their_names(
    types: list[str], state: State
) -> None:
    held = [fact(number, type=name) for number, name in enumerate(types)]

    assert derive(held, TRIP).state is state
    assert derive_large(sums_of(held, records=len(held), roles=TRIP)).state is state


def test_two_records_with_one_event_id_are_one_event_marked_duplicate() -> None:
    first, copy = fact(0, event=b"a"), fact(1, event=b"a")

    row = derive([copy, first])

    assert (row.events, row.records) == (1, 2)
    assert row.marks == Mark.DUPLICATE
    assert canonical([copy, first])[b"a"] is first


def test_an_effect_before_its_cause_is_out_of_order() -> None:
    cause = fact(0, event=b"a", time_us=10)
    effect = fact(0, event=b"b", cause=b"a", time_us=9, topic="stock", key=None)
    events = canonical([cause, effect])

    assert marks([cause, effect], events) == {b"b": Mark.OUT_OF_ORDER}
    assert [edge.latency_us for edge in edges(events)] == [-1]


def test_a_later_offset_with_an_earlier_time_is_out_of_order_within_its_key_only() -> None:
    young = fact(0, event=b"a", time_us=10)
    old = fact(1, event=b"b", time_us=5)
    other_key = fact(2, event=b"c", time_us=4, key=8)
    held = [old, other_key, young]

    assert marks(held, canonical(held)) == {b"b": Mark.OUT_OF_ORDER}


def test_a_cause_that_is_not_in_the_flow_is_missing() -> None:
    effect = fact(0, cause=b"nowhere")

    assert derive([effect]).marks == Mark.MISSING_CAUSE


def test_an_event_that_names_itself_as_cause_has_no_edge() -> None:
    alone = fact(0, event=b"a", cause=b"a")

    assert edges(canonical([alone])) == []


def test_the_strip_lists_types_by_first_occurrence() -> None:
    held = [
        fact(0, type="B", time_us=3, event=b"1"),
        fact(1, type="A", time_us=1, event=b"2"),
        fact(2, type="B", time_us=2, event=b"3"),
    ]

    assert derive(held).strip == (("A", "order", 1), ("B", "order", 2))
    assert derive(held).duration_us == 2
