"""The live tail over real sockets: events as they come, pauses, returns."""

from __future__ import annotations

import re

import pytest

from tests.integration.live import log, opened
from tests.integration.log import record

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]


def shown(text: str) -> list[str]:
    """Return the ids of the events in rows of the tail, in order of appearance."""
    return re.findall(r"\?event=([\w-]+)", text)


async def test_the_tail_sends_events_as_they_come(cookie: bytes) -> None:
    await log(record("e1"))

    async with opened("/live/tail", cookie) as page:
        assert shown(await page.frame_text()) == ["e1"]
        await log(record("e2"), record("e3"))
        assert shown(await page.until("event=e3")) == ["e3", "e2"]


async def test_the_tail_filters(cookie: bytes) -> None:
    async with opened("/live/tail?type=B&text=AD", cookie) as page:
        await page.frame_text()
        await log(record("e1", "A"), record("e2", "B"), record("ad-3", "B"), record("ad-4", "A"))
        assert shown(await page.until("event=ad-3")) == ["ad-3"]


async def test_a_burst_shows_the_newest_and_says_how_many_more_there_were(cookie: bytes) -> None:
    async with opened("/live/tail", cookie) as page:
        await page.frame_text()
        await log(*(record(f"e{number}") for number in range(250)))
        text = await page.until("event=e249")

    assert len(shown(text)) == 200
    assert "50 more not shown" in text


async def test_pausing_counts_and_resuming_leaves_nothing_out(cookie: bytes) -> None:
    async with opened("/live/tail", cookie) as page:
        await page.frame_text()
        await page.socket.send_json_to({"pause": True})
        await log(*(record(f"e{number}") for number in range(450)))
        paused = await page.until('data-waiting="450"')
        await page.socket.send_json_to({"pause": False})
        resumed = await page.until("event=e449")

    assert shown(paused) == []
    # Newest first within a frame, and frame after frame.
    assert sorted(shown(resumed), key=lambda name: int(name[1:])) == [f"e{n}" for n in range(450)]
    assert "not shown" not in resumed


async def test_a_tail_that_comes_back_goes_on_from_its_position(cookie: bytes) -> None:
    async with opened("/live/tail", cookie) as page:
        await page.frame_text()
        await log(record("e1"))
        await page.until("event=e1")

    await log(*(record(f"f{number}") for number in range(300)))

    async with opened(f"/live/tail?after={page.position}", cookie) as again:
        text = await again.until("event=f299")

    assert sorted(shown(text)) == sorted(f"f{number}" for number in range(300))
