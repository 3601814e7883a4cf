"""How the follower paces itself; what it reads is tested on a log."""

from __future__ import annotations

import asyncio

from tests.unit.live.change import change
from tracing.live.follower import SLOWEST_TICK_S, TICK_S, Follower


def ticks(follower: Follower, *rounds_s: float) -> list[float]:
    """Return the tick after each of these rounds."""
    found = []
    for took_s in rounds_s:
        follower._pace(took_s)
        found.append(follower._tick_s)
    return found


def test_a_round_that_outlasts_its_tick_doubles_it() -> None:
    assert ticks(Follower(), 0.05, 0.11, 0.15, 0.3) == [TICK_S, 2 * TICK_S, 2 * TICK_S, 4 * TICK_S]


def test_quick_rounds_bring_the_tick_back() -> None:
    assert ticks(Follower(), 0.11, 0.25, 0.01, 0.01, 0.01) == [
        2 * TICK_S,
        4 * TICK_S,
        2 * TICK_S,
        TICK_S,
        TICK_S,
    ]


def test_a_tick_has_an_end() -> None:
    assert ticks(Follower(), *[60.0] * 20)[-1] == SLOWEST_TICK_S


async def test_who_waits_wakes_when_the_log_moves() -> None:
    follower = Follower()
    waiting = asyncio.create_task(follower.moved(lambda: (0, 0), timeout_s=60))
    await asyncio.sleep(0)

    follower.ring.append([change(1)], end=1)
    follower.nudge()

    assert await waiting is True


async def test_who_waits_hears_that_nothing_came() -> None:
    assert await Follower().moved(lambda: (0, 0), timeout_s=0.01) is False


async def test_a_nudge_lets_a_page_look_again_that_wants_to_go_on() -> None:
    follower = Follower()
    follower.ring.append([change(1)], end=1)
    seen = [1]
    waiting = asyncio.create_task(follower.moved(lambda: (seen[0], 0), timeout_s=60))
    await asyncio.sleep(0)

    seen[0] = 0
    follower.nudge()

    assert await waiting is True


async def test_who_wants_every_second_round_gets_what_the_round_before_brought() -> None:
    follower = Follower()
    even, odd = (
        asyncio.create_task(follower.moved(lambda: (0, 0), timeout_s=60, every=2, turn=turn))
        for turn in (0, 1)
    )
    await asyncio.sleep(0)
    follower.ring.append([change(1)], end=1)

    follower.rounds = 3
    follower.nudge()

    assert await odd
    assert not even.done()
    follower.rounds = 4
    follower.nudge()
    assert await even
