"""Records a second by partition, over the last minute."""

from __future__ import annotations

from tracing.ingest.rates import Rates


def test_a_minute_counts_and_what_is_older_does_not() -> None:
    rates = Rates()
    rates.add(1, 600, now=1_000.0)
    rates.add(2, 60, now=1_030.0)

    assert rates.per_second(1_060.0)[2] == 1.0
    assert rates.per_second(1_080.0) == {2: 1.0}
    assert rates.per_second(1_200.0) == {}


def test_one_that_has_just_begun_counts_by_its_own_age() -> None:
    rates = Rates()
    rates.add(1, 10, now=1_000.0)
    rates.add(1, 10, now=1_002.0)

    assert rates.per_second(1_004.0) == {1: 5.0}


def test_nothing_gives_nothing() -> None:
    assert Rates().per_second(5.0) == {}
