"""The indented list of a flow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import pairs, share
from tracing.drawing.graph import Arrow, Spot
from tracing.drawing.outline import MAX_LEVEL, Line, outline


def lines(count: int, links: list[tuple[int, int]]) -> list[Line]:
    """Return the outline of numbered events and their links."""
    spots = [Spot(id=str(number), type="T", service="", time_us=number) for number in range(count)]
    return outline(spots, [Arrow(str(cause), str(effect), 1) for cause, effect in links])


def test_a_chain_stays_on_one_level() -> None:
    found = lines(300, [(number, number + 1) for number in range(299)])

    assert {line.level for line in found} == {0}
    assert [line.spot for line in found] == list(range(300))


def test_effects_stand_below_their_cause_where_a_flow_branches() -> None:
    found = lines(6, [(0, 1), (0, 2), (1, 3), (2, 4), (4, 5)])

    assert [(line.spot, line.level) for line in found] == [
        (0, 0), (1, 1), (3, 2), (2, 1), (4, 2), (5, 3),
    ]  # fmt: skip
    assert found[0].opens
    assert found[-1].closes == 3


def test_a_short_branch_stands_before_a_long_one() -> None:
    found = lines(5, [(0, 1), (0, 2), (1, 3), (3, 4)])

    assert [(line.spot, line.level) for line in found] == [(0, 0), (2, 1), (1, 1), (3, 2), (4, 3)]


def test_it_is_bounded_in_depth() -> None:
    found = lines(40, [(0, 39), *((number, number + 1) for number in range(38))])

    assert max(line.level for line in found) == MAX_LEVEL


@share(60)
@given(st.integers(1, 30).flatmap(lambda count: st.tuples(st.just(count), pairs(40, below=count))))
def test_it_lists_every_event_once_and_closes_what_it_opens(
    flow: tuple[int, list[tuple[int, int]]],
) -> None:
    found = lines(*flow)

    assert sorted(line.spot for line in found) == list(range(flow[0]))
    assert all(line.level <= MAX_LEVEL for line in found)
    assert sum(line.opens for line in found) == sum(line.closes for line in found)
