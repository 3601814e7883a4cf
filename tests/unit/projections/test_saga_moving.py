"""What moving a version means: compared with asking for every moment."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import picks, share
from tracing.domain.saga.definition import Definition, Version, version_at
from tracing.projections.saga_moving import Shift, shifts

ORDER = Definition(name="Order", starts=("OrderPlaced",), steps=())


def versions(*times: int) -> list[Version]:
    return [
        Version(number=number, valid_from_ms=at, definition=ORDER)
        for number, at in enumerate(times, start=1)
    ]


def test_a_version_moved_back_takes_over_from_the_one_before() -> None:
    found = list(shifts(versions(10, 50), 2, 20))

    assert found == [Shift(from_ms=20, until_ms=50, before=1, after=2)]


def test_a_version_moved_on_leaves_what_nobody_covers() -> None:
    found = list(shifts(versions(10), 1, 30))

    assert found == [Shift(from_ms=10, until_ms=30, before=1, after=None)]


def test_a_version_moved_behind_another_gives_up_what_it_had() -> None:
    found = list(shifts(versions(10, 50), 2, 5))

    assert found == [
        Shift(from_ms=5, until_ms=10, before=None, after=2),
        Shift(from_ms=50, until_ms=None, before=2, after=1),
    ]


@share(60)
@given(times=picks(5, least=1, below=10), to=st.integers(0, 9), data=st.data())
def test_shifts_tell_of_every_moment_that_changes(
    times: list[int], to: int, data: st.DataObject
) -> None:
    number = data.draw(st.integers(1, len(times)))
    before = versions(*times)
    moved = [to if one.number == number else one.valid_from_ms for one in before]
    told = list(shifts(before, number, to))
    for moment in range(12):
        old, new = version_at(before, moment), version_at(versions(*moved), moment)
        changed = (old and old.number, new and new.number)
        here = [
            (one.before, one.after)
            for one in told
            if one.from_ms <= moment and (one.until_ms is None or moment < one.until_ms)
        ]
        assert here == ([changed] if changed[0] != changed[1] else [])
