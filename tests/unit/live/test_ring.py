"""The ring: a window of what is new, or the honest answer that it is too old."""

from __future__ import annotations

from tests.unit.live.change import change
from tracing.live.ring import Ring


def positions(ring: Ring, after: int, to: int | None = None) -> list[int] | None:
    """Return the positions of a window."""
    window = ring.window(after, to)
    return None if window is None else [item.position for item in window]


def test_it_answers_what_came_after_a_position() -> None:
    ring = Ring()
    ring.append([change(1), change(2), change(3)], end=3)

    assert positions(ring, 1) == [2, 3]
    assert positions(ring, 3) == []


def test_it_answers_up_to_a_position() -> None:
    ring = Ring()
    ring.append([change(1), change(2), change(3)], end=3)

    assert positions(ring, 0, 2) == [1, 2]


def test_positions_may_have_gaps() -> None:
    ring = Ring(floor=10)
    ring.append([change(12), change(40)], end=50)

    assert positions(ring, 10) == [12, 40]
    assert positions(ring, 39) == [40]
    assert positions(ring, 45) == []
    assert ring.end == 50


def test_it_says_that_a_position_is_too_old() -> None:
    ring = Ring(floor=10)
    ring.append([change(11)], end=11)

    assert ring.window(9) is None


def test_it_does_not_know_positions_that_the_log_has_not_reached() -> None:
    ring = Ring(floor=10)

    assert ring.window(11) is None


def test_it_forgets_the_oldest_and_knows_that_it_did() -> None:
    ring = Ring(size=8)
    for position in range(1, 101):
        ring.append([change(position)], end=position)

    assert ring.window(0) is None
    assert ring.floor >= 88
    assert positions(ring, ring.floor) == list(range(ring.floor + 1, 101))
    assert positions(ring, 95) == [96, 97, 98, 99, 100]
