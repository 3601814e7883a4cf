"""What is said of a group, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from tracing.alerts.rules import HOUR_MS, GroupState, Limits, alerts_of

NOW = 100 * HOUR_MS
LIMITS = Limits(rate_per_hour=100, age_ms=24 * HOUR_MS)


def said(**fields: Any) -> list[tuple[str, str]]:
    given: dict[str, Any] = {
        "id": 7,
        "key": "07",
        "name": "NoStock: no stock",
        "where": "orders, inventory-service",
        "state": "",
        "open": 3,
        "attempts": 4,
        "first_ms": NOW - HOUR_MS,
        "last_ms": NOW,
        "last_ms_then": 0,
        "in_this_hour": 3,
    }
    found = alerts_of(GroupState(**{**given, **fields}), LIMITS, now_ms=NOW)
    return [(one.kind, one.title) for one in found]


def test_a_new_group_says_how_often_it_was_tried() -> None:
    assert said() == [("new", "Message failed after 3 retries: NoStock: no stock")]
    assert said(attempts=2)[0][1].startswith("Message failed after 1 retry:")
    assert said(attempts=None)[0][1].startswith("Message failed:")
    assert said(consumer="stock")[0][1].startswith("stock failed after 3 retries:")


def test_one_that_was_acknowledged_is_new_no_more() -> None:
    assert said(state="acknowledged") == []


def test_a_resolved_one_that_comes_back_has_regressed() -> None:
    assert said(state="resolved", last_ms_then=NOW) == []
    assert [kind for kind, _ in said(state="resolved", last_ms_then=NOW - 1)] == ["regressed"]


def test_many_in_an_hour_and_old_ones_are_said() -> None:
    many = said(state="acknowledged", in_this_hour=1_200)
    old = said(state="acknowledged", first_ms=NOW - 72 * HOUR_MS)

    assert many == [("rate", "1,200 messages failed within an hour: NoStock: no stock")]
    assert old == [("old", "Waits for 3 d: NoStock: no stock")]
    assert said(state="acknowledged", first_ms=0, open=0) == []


@pytest.mark.parametrize("fields", [{}, {"in_this_hour": 500}, {"first_ms": 0}])
def test_an_ignored_group_says_nothing(fields: dict[str, Any]) -> None:
    assert said(state="ignored", **fields) == []
