"""Texts of single events, made once for all sockets."""

from __future__ import annotations

import asyncio

from tracing.live.pieces import FRESH_S, Pieces


class Writer:
    """Writes positions as words, and remembers which."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    async def __call__(self, positions: list[int]) -> dict[int, str]:
        self.asked.append(positions)
        await asyncio.sleep(0)
        return {position: f"{position} " for position in positions}


async def test_sockets_that_have_drifted_apart_share_what_is_written() -> None:
    pieces, write = Pieces(), Writer()

    ahead, behind = await asyncio.gather(
        pieces.get("api", [1, 2, 3], write), pieces.get("api", [2, 3, 4], write)
    )

    assert (ahead, behind) == ("1 2 3 ", "2 3 4 ")
    assert write.asked == [[1, 2, 3], [4]]


async def test_what_is_missing_leaves_no_trace() -> None:
    async def write(positions: list[int]) -> dict[int, str]:
        return {position: "x" for position in positions if position != 2}

    assert await Pieces().get("api", [1, 2, 3], write) == "xx"


async def test_it_forgets_the_oldest_and_what_is_not_fresh() -> None:
    now = [0.0]
    pieces, write = Pieces(max_length=6, clock=lambda: now[0]), Writer()

    await pieces.get("api", [1, 2, 3, 4], write)
    await pieces.get("api", [1, 3, 4], write)
    now[0] = FRESH_S + 1
    await pieces.get("api", [1], write)

    # 1 had to go for 4; 2 for 1. In the end only 1 was asked for again.
    assert write.asked == [[1, 2, 3, 4], [1], [1]]


async def test_a_failure_is_told_and_leaves_the_others_free() -> None:
    pieces, write = Pieces(), Writer()

    async def fail(positions: list[int]) -> dict[int, str]:
        raise ValueError(positions)

    failed = await asyncio.gather(pieces.get("api", [1], fail), return_exceptions=True)

    assert isinstance(failed[0], ValueError)
    assert await pieces.get("api", [1], write) == "1 "
