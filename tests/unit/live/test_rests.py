"""Expensive drawings rest, cheap ones never do."""

from __future__ import annotations

from tracing.live.rests import Rests


def test_what_is_cheap_goes_on_at_once() -> None:
    rests = Rests()

    assert rests.measured("flow", lambda: "<svg>") == "<svg>"
    assert rests.left_s("flow") == 0


def test_what_is_expensive_rests_three_times_as_long() -> None:
    now = [100.0]
    rests = Rests(lambda: now[0])

    rests.spent("flow", 0.2)

    assert round(rests.left_s("flow"), 3) == 0.6
    assert rests.left_s("other") == 0
    now[0] += 0.7
    assert rests.left_s("flow") == 0


def test_a_rest_has_an_end() -> None:
    now = [100.0]
    rests = Rests(lambda: now[0])

    rests.spent("flow", 60.0)

    assert rests.left_s("flow") == 3.0
