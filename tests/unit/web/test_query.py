"""Filters as they stand in addresses."""

from __future__ import annotations

import pytest

from tracing.web import query
from tracing.web.flows import filters
from tracing.web.flows.first_event import topic_for
from tracing.web.tail import filters as tail_filters

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("", None),
        ("15m", NOW_MS - 900_000),
        ("2h", NOW_MS - 7_200_000),
        ("7d", NOW_MS - 7 * 86_400_000),
        ("2026-01-31T12:00:00Z", 1_769_860_800_000),
        ("2026-01-31T12:00:00", 1_769_860_800_000),
        ("2026-01-31T13:00:00+01:00", 1_769_860_800_000),
    ],
)
def test_it_reads_ages_and_iso_times(text: str, ms: int | None) -> None:
    assert query.moment_ms(text, now_ms=NOW_MS) == ms


@pytest.mark.parametrize("text", ["x", "15", "-15m", "9999999d", "2026-13-01", "٣m"])
def test_it_refuses_other_times(text: str) -> None:
    with pytest.raises(query.BadTimeError):
        query.moment_ms(text, now_ms=NOW_MS)


def test_filters_come_back_as_an_address() -> None:
    asked = filters.parse({"type": "Ä&b=c", "state": "failed", "cursor": "x", "service": " "})

    assert asked.given == {"state": "failed", "type": "Ä&b=c"}
    assert asked.url() == "/flows/?state=failed&type=%C3%84%26b%3Dc"
    assert asked.url(state="") == "/flows/?type=%C3%84%26b%3Dc"
    assert [item.without for item in asked.active()] == [
        "/flows/?type=%C3%84%26b%3Dc",
        "/flows/?state=failed",
    ]


def test_unknown_states_and_marks_filter_nothing() -> None:
    assert filters.parse({"state": "<script>", "mark": "nope"}).given == {}


def test_ages_count_from_the_time_that_is_given() -> None:
    wanted = filters.parse({"since": "5m", "mark": "duplicate"}).filter(NOW_MS)

    assert wanted.since_ms == NOW_MS - 300_000
    assert wanted.mark == "duplicate"


def test_long_text_from_an_address_is_bounded() -> None:
    asked = tail_filters.parse({"text": "x" * 5_000, "nul": "\x00", "topic": "a\x00b"})

    assert len(asked.given["text"]) == 400
    assert asked.given["topic"] == "a\u2400b"
    assert asked.filter.text == asked.given["text"]


@pytest.mark.parametrize(
    ("patterns", "topic"),
    [
        (["*"], "eventviz-test"),
        (["!internal", "*"], "eventviz-test"),
        ([], "eventviz-test"),
        (["billing*", "shop-*"], "billing-eventviz-test"),
        (["payments", "shop-*"], "shop-eventviz-test"),
        (["*.events"], "eventviz-test.events"),
        (["*events*"], "eventviz-test-events"),
        (["shop[12].?*"], "shop1.x-eventviz-test"),
        (["billing*", "shop*", "!*-test", "payments"], "payments"),
        (["payments", "orders"], "payments"),
    ],
)
def test_the_example_goes_to_a_topic_that_is_read(patterns: list[str], topic: str) -> None:
    assert topic_for(patterns) == topic
