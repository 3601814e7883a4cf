"""Who gets a socket, how many, and what a page may say over it."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from tests.integration.live import WAIT_S, Page, followed, log, opened
from tests.integration.log import record
from tests.integration.test_live_tail import shown
from tracing.live.follower import open_sockets
from tracing.web import connection as limits
from tracing.web import socket as pace

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]


async def test_a_page_gets_no_second_frame_before_it_acknowledged_the_first(cookie: bytes) -> None:
    async with opened("/live/tail", cookie) as page:
        await page.frame_text(ack=False)
        await log(record("e1"))
        await followed(await log(record("e2")))
        assert await page.silent(0.5)
        await page.socket.send_json_to({"ack": page.frame})
        # Both came in one frame: what is late is joined, not queued.
        assert shown(await page.frame_text()) == ["e2", "e1"]


async def test_a_page_that_stopped_reading_is_let_go(
    cookie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "STALLED_S", 0.2)

    async with opened("/live/tail", cookie) as page:
        await page.frame_text(ack=False)
        assert await page.socket.receive_output(WAIT_S) == {"type": "websocket.close", "code": 1013}


async def test_many_pages_share_one_follower_that_ends_with_the_last(cookie: bytes) -> None:
    async with contextlib.AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(opened("/live/tail", cookie)) for _ in range(20)]
        for page in pages:
            await page.frame_text()
        assert open_sockets() == 20
        await log(record("e1"))
        texts = [await page.until("event=e1") for page in pages]
        followers = [task for task in asyncio.all_tasks() if task.get_name() == "log follower"]

    assert len(followers) == 1
    assert all(shown(text) == ["e1"] for text in texts)
    assert open_sockets() == 0
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "log follower"]


@pytest.mark.parametrize("path", ["/live/flows", "/live/flow?id=x", "/live/tail", "/api/tail"])
@pytest.mark.parametrize(
    "origin", [b"http://evil.example", b"http://127.0.0.1:9000", b"https://127.0.0.1:8000", b"null"]
)
async def test_another_origin_gets_no_socket(cookie: bytes, path: str, origin: bytes) -> None:
    page = Page(path, cookie, origin)

    assert (await page.socket.connect(timeout=WAIT_S))[0] is False


@pytest.mark.parametrize("path", ["/live/flows", "/live/tail", "/api/tail", "/nowhere"])
async def test_who_is_not_signed_in_gets_no_socket(live_log: None, path: str) -> None:
    page = Page(path, b"")

    assert (await page.socket.connect(timeout=WAIT_S))[0] is False


async def test_a_session_that_ends_closes_its_socket(
    cookie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CHECK_ACCESS_S", 0.2)

    async with opened("/live/tail", cookie) as page:
        # Not acknowledged: no other frame comes before the end.
        await page.frame_text(ack=False)
        await database_sync_to_async(User.objects.update)(is_active=False)
        assert await page.socket.receive_output(WAIT_S) == {"type": "websocket.close", "code": 4401}


@pytest.mark.parametrize(
    ("said", "code"),
    [("x" * 2_000, 1009), ("not json", 1008), ("[1]", 1008), ("[" * 900, 1008)],
)
async def test_what_a_page_may_say_is_bounded(cookie: bytes, said: str, code: int) -> None:
    async with opened("/live/tail", cookie) as page:
        await page.frame_text(ack=False)
        await page.socket.send_to(said)
        assert await page.socket.receive_output(WAIT_S) == {"type": "websocket.close", "code": code}


async def test_a_full_process_says_try_later(
    cookie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SOCKETS", 0)

    async with opened("/live/tail", cookie) as page:
        assert await page.socket.receive_output(WAIT_S) == {"type": "websocket.close", "code": 1013}
