"""The sentence above a flow."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tracing.domain.rules import BY_NAME
from tracing.drawing.sentence import Happening, Sentence, tell

# Kafka's clock is ahead of the producers'.
LOGGED_MS = 5_000


def told(*events: tuple[Any, ...], state: str, **more: Any) -> str:
    """Tell events given as (type, ms, cause index, reason)."""
    happened = [
        Happening(
            id=str(index),
            type=event[0],
            time_us=event[1] * 1_000,
            logged_ms=event[1] + LOGGED_MS,
            role=BY_NAME.of(event[0]),
            cause=None if len(event) < 3 or event[2] is None else str(event[2]),
            reason=event[3] if len(event) > 3 else None,
        )
        for index, event in enumerate(events)
    ]
    usual = {
        "total": len(happened),
        "services": 4,
        "duration_us": happened[-1].time_us - happened[0].time_us,
    }
    sentence = tell(happened, state=state, **{**usual, **more})
    since = "" if sentence.since_ms is None else f" [{sentence.since_ms}]"
    return sentence.text + since + sentence.end


def test_it_says_what_failed_when_and_what_was_taken_back() -> None:
    sentence = told(
        ("OrderPlaced", 0),
        ("StockReserved", 38, 0),
        ("PaymentFailed", 1_940, 1, "card_declined"),
        ("StockReleased", 1_980, 2),
        ("OrderCancelled", 2_000, 3),
        state="compensated",
    )

    assert sentence == (
        "Payment failed: card_declined, 1.9 s after the stock was reserved;"
        " the stock was released and the order cancelled."
    )


def test_it_says_who_gave_an_event_up_and_why() -> None:
    placed = Happening(
        id="1", type="OrderPlaced", time_us=0, logged_ms=0, given_up=("stock did: no P.",)
    )

    sentence = tell([placed], state="failed", total=1, services=1, duration_us=0)

    assert sentence.text == "Order was placed, but stock did: no P."


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], "Order was placed, but stock gave it up: no P; then email gave it up."),
        (
            [("MailSent", ("archive gave it up",))],
            (
                "Order was placed, but stock gave it up: no P; then email gave it up."
                " MailSent was given up too."
            ),
        ),
        (
            [("MailSent", ("archive gave it up",)), ("Ping", ("archive gave it up",))],
            (
                "Order was placed, but stock gave it up: no P; then email gave it up."
                " 2 more events were given up too."
            ),
        ),
    ],
)
def test_it_names_every_consumer_that_gave_up(
    others: list[tuple[str, tuple[str, ...]]], expected: str
) -> None:
    told = [("OrderPlaced", ("stock gave it up: no P", "email gave it up")), *others]
    events = [
        Happening(id=str(number), type=kind, time_us=0, logged_ms=0, given_up=who)
        for number, (kind, who) in enumerate(told)
    ]

    assert tell(events, state="quiet", total=2, services=1, duration_us=0).text == expected


def test_it_says_that_nothing_followed_a_failure() -> None:
    sentence = told(("OrderPlaced", 0), ("payment.declined", 60, 0), state="failed")

    assert sentence == (
        "Payment was declined, 60 ms after the order was placed. Nothing has followed so far."
    )


def test_it_says_what_followed_a_failure_without_compensation() -> None:
    sentence = told(("JobFailed", 0, "elsewhere"), ("MailSent", 5, 0), state="failed")

    assert sentence == "Job failed. Mail was sent after it."


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (
            [("StockReleaseFailed", 5, 0, "no_such_order")],
            "Job failed. Stock release failed too: no_such_order.",
        ),
        (
            [("MailSent", 5), ("JobFailed", 9), ("ping", 9), ("CarRefused", 9), ("JobFailed", 9)],
            "Job failed. Job failed again, 2 times. Car was refused too. 2 more events followed.",
        ),
        (
            [("AFailed", 1), ("BFailed", 2), ("CFailed", 3), ("DFailed", 4), ("EFailed", 5)],
            (
                "Job failed. A failed too. B failed too. C failed too."
                " 2 more events followed, 2 of them failed too."
            ),
        ),
        ([("ping", 5)], "Job failed. ping followed."),
    ],
)
def test_it_says_what_else_failed_and_why(events: list[tuple[Any, ...]], expected: str) -> None:
    assert told(("JobFailed", 0), *events, state="failed") == expected


def test_it_says_how_long_a_completed_flow_took() -> None:
    sentence = told(
        ("OrderPlaced", 0), ("ShipmentCreated", 9, 0), ("OrderCompleted", 2_400, 1), state="done"
    )

    assert sentence == "Order completed in 2.4 s: 3 events from 4 services."


def test_it_says_what_a_running_flow_waits_for() -> None:
    sentence = told(("OrderPlaced", 0), ("StockReserved", 38, 0), state="running")

    assert sentence == "Waiting for what comes after StockReserved, [5038] so far."


def test_it_says_since_when_a_flow_is_quiet() -> None:
    sentence = told(("ping", 7), state="quiet", services=0)

    assert sentence == "Nothing has followed ping for [5007]: 1 event."


def test_it_names_few_compensations_and_counts_the_rest() -> None:
    steps = [f"{name}Cancelled" for name in ("Hotel", "Car", "Flight", "Train", "Boat")]

    sentence = told(("TripFailed", 0), *((step, 1, 0) for step in steps), state="compensated")

    assert sentence == (
        "Trip failed; the hotel was cancelled, the car cancelled, the flight cancelled"
        " and 2 more steps taken back."
    )


def test_it_tells_compensations_without_a_failure() -> None:
    sentence = told(("CardRefunded", 0), ("SeatsReleased", 2, 0), state="compensated")

    assert sentence == (
        "Card was refunded and the seats were released in 2 ms: 2 events from 4 services."
    )


def test_it_waits_since_the_last_event_by_kafkas_clock() -> None:
    early = Happening(id="0", type="OrderPlaced", time_us=9_000_000, logged_ms=10)
    late = Happening(id="1", type="StockReserved", time_us=0, logged_ms=20)

    sentence = tell([late, early], state="running", total=2, services=1, duration_us=0)

    assert sentence.text == "Waiting for what comes after StockReserved,"
    assert sentence.since_ms == 20


def test_of_events_within_a_millisecond_the_last_led_to_nothing() -> None:
    cause = Happening(id="0", type="OrderPlaced", time_us=9_000_000, logged_ms=10)
    effect = Happening(id="1", type="StockReserved", time_us=0, logged_ms=10, cause="0")

    sentence = tell([effect, cause], state="quiet", total=2, services=1, duration_us=0)

    assert sentence.text == "Nothing has followed StockReserved for"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"error": "not JSON: x."}, "This record could not be read: not JSON: x."),
        (
            {"bare": True, "content": "plain text, 15 bytes"},
            "This record has no envelope: plain text, 15 bytes.",
        ),
        ({"content": "JSON, 9 bytes"}, "This event has no type: JSON, 9 bytes."),
        ({"bare": True}, "This record has no envelope."),
    ],
)
def test_it_says_what_there_is_instead_of_an_event(event: dict[str, Any], expected: str) -> None:
    happening = Happening(id="0", type="(no type)", time_us=0, logged_ms=0, **event)

    sentence = tell([happening], state="plain", total=1, services=0, duration_us=0)

    assert sentence == Sentence(expected)


def test_it_counts_records_of_which_none_names_an_event() -> None:
    records = [
        Happening(id="0", type="(no type)", time_us=0, logged_ms=0, bare=True),
        Happening(id="1", type="undecodable", time_us=1, logged_ms=1, error="not JSON"),
    ]

    sentence = tell(records, state="plain", total=2, services=0, duration_us=1)

    assert sentence == Sentence(
        "None of the 2 records here names an event; 1 of them could not be read."
    )


@share(50)
@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.text(max_size=30),
                st.sampled_from(["OrderPlaced", "PayFailed", "A.Released", "XCompleted"]),
            ),
            st.integers(-(10**9), 10**15),
            st.none() | st.integers(0, 9),
            st.none() | st.text(max_size=300),
        ),
        min_size=1,
        max_size=10,
    ),
    st.sampled_from(["running", "quiet", "failed", "done", "compensated", "plain"]),
)
def test_it_bears_any_events(events: list[tuple[Any, ...]], state: str) -> None:
    assert 0 < len(told(*events, state=state)) < 1_000
