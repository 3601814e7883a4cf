"""The indented list of a flow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracing.drawing.graph import Arrow, Spot
from tracing.drawing.outline import MAX_LEVEL, Line, outline


def lines(count: int, pairs: list[tuple[int, int]]) -> list[Line]:
    """Return the outline of numbered events and their links."""
    spots = [Spot(id=str(number), type="T", service="", time_us=number) for number in range(count)]
    return outline(spots, [Arrow(str(cause), str(effect), 1) for cause, effect in pairs])


def test_a_chain_stays_on_one_level() -> None:
    found = lines(300, [(number, number + 1) for number in range(299)])

    assert {line.level for line in found} == {0}
    assert [line.spot for line in found] == list(range(300))


def test_only_branches_are_indented() -> None:
    found = lines(6, [(0, 1), (0, 2), (1, 3), (2, 4), (4, 5)])

    assert [(line.spot, line.level) for line in found] == [
        (0, 0), (1, 1), (3, 1), (2, 1), (4, 1), (5, 1),
    ]  # fmt: skip
    assert found[0].opens
    assert found[-1].closes == 1


@given(
    st.integers(1, 30).flatmap(
        lambda count: st.tuples(
            st.just(count),
            st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=40),
        )
    )
)
def test_it_lists_every_event_once_and_closes_what_it_opens(
    flow: tuple[int, list[tuple[int, int]]],
) -> None:
    found = lines(*flow)

    assert sorted(line.spot for line in found) == list(range(flow[0]))
    assert all(line.level <= MAX_LEVEL for line in found)
    assert sum(line.opens for line in found) == sum(line.closes for line in found)
