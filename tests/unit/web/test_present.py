"""Words, symbols and numbers as pages show them."""

from __future__ import annotations

import pytest

from tracing.domain.derive import State
from tracing.domain.failure import normalised
from tracing.templatetags.tracing import left_out, left_out_words
from tracing.web import present

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("us", "words"),
    [
        (0, "0 ms"),
        (73, "73 µs"),
        (38_000, "38 ms"),
        (999_400, "999 ms"),
        (999_600, "1.0 s"),
        (1_940_000, "1.9 s"),
        (9_960_000, "10 s"),
        (59_400_000, "59 s"),
        (123 * SECOND, "2 min 3 s"),
        (120 * SECOND, "2 min"),
        (3_600 * SECOND, "1 h"),
        (11_520 * SECOND, "3 h 12 min"),
        (187_200 * SECOND, "2 d 4 h"),
        (-38_000, "\N{MINUS SIGN}38 ms"),
    ],
)
def test_it_says_a_duration_in_two_units_at_most(us: int, words: str) -> None:
    assert present.duration(us) == words


@pytest.mark.parametrize(
    ("age_ms", "words"),
    [
        (0, "now"),
        (1_999, "now"),
        (14_000, "14 s ago"),
        (180_000, "3 min ago"),
        (5 * 3_600_000, "5 h ago"),
        (12 * 86_400_000, "12 d ago"),
        (-4_000, "in 4 s"),
    ],
)
def test_it_says_how_long_ago_something_was(age_ms: int, words: str) -> None:
    now_ms = 1_800_000_000_000

    assert present.ago(now_ms - age_ms, now_ms) == words


def test_a_time_outside_of_all_calendars_is_no_error() -> None:
    assert present.iso(1 << 62) == ""
    assert present.clock(-(1 << 62)) == ""


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("order", "OR"),
        ("order-service", "OR"),
        ("payment-gateway", "PG"),
        ("InventoryService", "IN"),
        ("service", "SE"),
        ("💥", "💥"),
        ("x", "X"),
        ("--", "--"),
        ("", "\N{EN DASH}"),
    ],
)
def test_a_service_gets_two_letters(name: str, initials: str) -> None:
    assert present.service_of(name).initials == initials


def test_the_services_of_the_tutorials_differ_in_colour() -> None:
    names = ["order", "inventory", "payment", "shipping", "email"]

    assert [present.service_of(name).colour for name in names] == [1, 2, 3, 4, 5]
    assert present.service_of("").colour == 0


@pytest.mark.parametrize(
    ("types", "common"),
    [
        (["com.acme.OrderPlaced", "com.acme.StockReserved"], "com.acme."),
        (["com.acme.OrderPlaced"], "com.acme."),
        (["com.acme.OrderPlaced", "com.acme2.StockReserved"], "com."),
        (["com.acme.OrderPlaced", "StockReserved"], ""),
        (["OrderPlaced.v2"], ""),
        (["order.v1", "order.v2"], ""),
        (["ends.in."], "ends."),
        ([], ""),
    ],
)
def test_it_leaves_out_only_namespaces_that_all_types_share(types: list[str], common: str) -> None:
    assert present.namespace(types) == common


def test_a_strip_shortens_names_that_stay_unambiguous() -> None:
    strip = [
        ("OrderPlaced", "order", 1),
        ("ReserveStock", "orchestrator", 1),
        ("StockReserved", "inventory", 1),
        ("SeatReserved", "seats", 1),
        ("PaymentFailed", "payment", 2),
        ("OrderCancelled", "order", 1),
        ("lower_case", "x", 1),
        ("", "", 1),
    ]

    steps = present.steps_of(strip)

    assert [(step.lead, step.label, step.trail, step.tone) for step in steps] == [
        ("Order", "Placed", "", ""),
        ("", "Reserve", "Stock", ""),
        ("", "StockReserved", "", ""),
        ("", "SeatReserved", "", ""),
        ("", "PaymentFailed", "", "fail"),
        ("", "OrderCancelled", "", "back"),
        ("", "lower_case", "", ""),
        ("", "", "", ""),
    ]
    assert steps[4].title == "PaymentFailed · payment \N{MULTIPLICATION SIGN}2"


def test_a_groups_message_says_what_was_left_out_of_it() -> None:
    message = normalised("<b>No 17 of 3f2504e0-4f89-11d3-9a0c-0305e82c3301 & 18</b>")

    shown = left_out(message)

    assert shown.count('title="a number that differs from message to message"') == 2
    assert '<i class="left-out" title="an id that' in shown
    assert shown.startswith("&lt;b&gt;No <i")
    assert shown.endswith("&lt;/b&gt;")
    assert left_out_words(message) == "\u2039n\u203a stands for a number, \u2039id\u203a for an id"
    assert left_out("no hole") == "no hole"
    assert not left_out_words("no hole")


def test_a_short_id_keeps_both_ends() -> None:
    assert present.short_id("7f3c9a1e-5b0d-4a4e") == "7f3c9a…0d-4a4e"
    assert present.short_id("short") == "short"
    assert present.short_id("a\nb\t c") == "a b c"
    assert len(present.short_id("x" * 400)) == 14


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("card_declined", "card declined"),
        ("out-of-stock", "out of stock"),
        ("The card\nwas declined", "The card was declined"),
        ("", ""),
    ],
)
def test_a_reason_is_said_as_words(reason: str, words: str) -> None:
    assert present.reason_words(reason) == words


def test_an_open_flow_is_running_or_quiet() -> None:
    assert present.display_state(State.OPEN, last_ms=70_001, now_ms=100_000) == "running"
    assert present.display_state(State.OPEN, last_ms=70_000, now_ms=100_000) == "quiet"
    assert present.display_state(State.FAILED, last_ms=0, now_ms=100_000) == "failed"


def test_every_state_that_can_be_shown_has_a_sign() -> None:
    shown = {
        present.display_state(state, last_ms=last_ms, now_ms=100_000)
        for state in State
        for last_ms in (0, 99_999)
    }

    assert shown == set(present.STATES)
    assert len({sign.symbol for sign in present.STATES.values()}) == len(present.STATES)


def test_records_without_an_envelope_are_called_plain() -> None:
    sign = present.STATES["plain"]

    assert (sign.symbol, sign.word, sign.tone) == ("·", "plain", "ghost")
    assert sign.meaning == "records without an envelope"
