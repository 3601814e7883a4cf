"""The rate: a slow start, then so many a second, and no burst after a wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tracing.retry.pace import CATCH_UP_S, SLOW_START_S, Pace


def sent_by(pace: Pace, times: list[float]) -> list[int]:
    counts = []
    for now in times:
        counts.append(pace.due(now))
        pace.took(counts[-1])
    return counts


def test_a_single_message_does_not_wait() -> None:
    pace = Pace(1.0)
    pace.begin(100.0)

    assert pace.due(100.0) == 1


def test_it_starts_slowly_and_then_holds_the_rate() -> None:
    pace = Pace(500.0)
    pace.begin(0.0)

    counts = sent_by(pace, [n / 10 for n in range(201)])

    assert sum(counts[:5]) < 50
    assert sum(counts[101:201]) == pytest.approx(5_000, abs=2)


@share(50)
@given(st.floats(0.1, 2_000), st.lists(st.floats(0.001, 30), min_size=1, max_size=40))
def test_it_never_sends_more_than_the_rate_allows(rate: float, waits: list[float]) -> None:
    pace = Pace(rate)
    pace.begin(0.0)
    now, total = 0.0, 0
    for wait in waits:
        now += wait
        due = pace.due(now)
        pace.took(due)
        total += due
        assert due <= rate * CATCH_UP_S + 1
    assert total <= rate * now + 2


def test_after_a_wait_there_is_no_burst() -> None:
    pace = Pace(100.0)
    pace.begin(0.0)
    pace.took(pace.due(SLOW_START_S))

    assert pace.due(3_600.0) <= 100
