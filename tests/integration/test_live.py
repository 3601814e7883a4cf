"""Live pages over real sockets, on a log that is written meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from eventviz.asgi import application
from tests.integration.live import followed
from tests.integration.log import NOW_MS, record, write
from tests.integration.test_dead_letters import failed
from tracing.domain.failure import group_key
from tracing.live.follower import open_sockets
from tracing.models import DeadLetter
from tracing.projections.rebuild import rebuild
from tracing.web import connection as limits
from tracing.web import socket as pace

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]

HOST = b"127.0.0.1:8000"
# How long a frame may take on a busy machine.
WAIT_S = 60


@pytest.fixture
def cookie(live_log: None) -> bytes:
    """Return the cookie of somebody who is signed in."""
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}".encode()


class Page:
    """A page's end of a socket: reads frames, acknowledges them as live.js does."""

    def __init__(self, path: str, cookie: bytes, origin: bytes = b"http://127.0.0.1:8000") -> None:
        headers = [(b"host", HOST), (b"origin", origin), (b"cookie", cookie)]
        self.socket = WebsocketCommunicator(application, path, headers=headers)
        self.frame = 0
        self.position = 0

    async def frame_text(self, *, ack: bool = True, timeout_s: float = WAIT_S) -> str:
        """Return the next frame."""
        text: str = await self.socket.receive_from(timeout=timeout_s)
        found = re.search(r'id="live-position"[^>]* data-position="(\d+)" data-frame="(\d+)"', text)
        assert found, text
        assert int(found[2]) == self.frame + 1
        self.position, self.frame = int(found[1]), int(found[2])
        if ack:
            await self.socket.send_json_to({"ack": self.frame})
        return text

    async def until(self, words: str) -> str:
        """Return everything received up to the frame that has these words."""
        text = ""
        async with asyncio.timeout(WAIT_S):
            while words not in text:
                text += await self.frame_text()
        return text

    async def silent(self, for_s: float) -> bool:
        """Tell whether no frame comes."""
        return bool(await self.socket.receive_nothing(timeout=for_s))


@contextlib.asynccontextmanager
async def opened(path: str, cookie: bytes) -> AsyncIterator[Page]:
    """Open a page's socket, and leave it at the end."""
    page = Page(path, cookie)
    connected, _ = await page.socket.connect(timeout=WAIT_S)
    assert connected
    try:
        yield page
    finally:
        await page.socket.disconnect(timeout=WAIT_S)


async def log(*records: Any) -> int:
    """Write to the log from another thread, as another process would."""
    position: int = await database_sync_to_async(write)(*records)
    return position


def shown(text: str) -> list[str]:
    """Return the ids of the events in rows of the tail, in order of appearance."""
    return re.findall(r"\?event=([\w-]+)", text)


async def test_the_list_sends_its_state_and_then_what_changes(cookie: bytes) -> None:
    await log(record("e1", flow="first"))

    async with opened("/live/flows", cookie) as page:
        state = await page.frame_text()
        await log(record("e2", flow="second"))
        change = await page.until("/flows/second")

    assert "/flows/first" in state
    assert "/flows/first" not in change


async def test_a_page_that_knows_its_position_gets_only_what_came_since(cookie: bytes) -> None:
    position = await log(record("e1", flow="first"))
    await log(record("e2", flow="second"))

    async with opened(f"/live/flows?after={position}", cookie) as page:
        text = await page.frame_text()

    assert "/flows/second" in text
    assert "/flows/first" not in text
    assert page.position == position + 1


async def test_a_flow_that_does_not_exist_yet_appears_and_grows(cookie: bytes) -> None:
    async with opened("/live/flow?id=a%2Fb%20%3Cc%3E", cookie) as page:
        unknown = await page.frame_text()
        await log(record("e1", flow="a/b <c>"), record("other", flow="o-2"))
        begun = await page.until('id="flow-graph"')
        await log(record("e2", "PaymentFailed", flow="a/b <c>", cause="e1"))
        grown = await page.until("PaymentFailed")

    assert 'id="flow-head"' not in unknown
    assert 'data-event="e1"' in begun
    assert "other" not in begun
    assert 'data-event="e1"' in grown
    assert 'data-event="e2"' in grown
    assert "<c>" not in grown


async def test_a_dead_letters_page_follows_what_becomes_of_it(cookie: bytes) -> None:
    await log(failed("e1"))
    one = await DeadLetter.objects.aget()
    path = f"/live/dead-message?group={group_key(one.group_id)}&record={one.record}"

    async with opened(path, cookie) as page:
        assert "nobody has dealt with it" in await page.frame_text()
        again = (("eventviz-retry-id", b"r-1"),)
        await log(record("e1", flow="flow-e1", headers=again, at_ms=NOW_MS + 60_000))
        assert "a retry by eventviz" in await page.until("sent again")


async def test_a_flow_is_not_sent_again_for_the_events_of_others(cookie: bytes) -> None:
    position = await log(record("e1"))

    async with opened(f"/live/flow?id=o-1&after={position}", cookie) as page:
        await page.until('id="shell-live"')
        await log(record("e2", flow="o-2"))
        assert await page.silent(0.5)


async def test_a_position_of_another_log_gets_the_state(cookie: bytes) -> None:
    await log(record("e1", flow="first"))

    async with opened("/live/flows?after=999999", cookie) as page:
        assert "/flows/first" in await page.frame_text()


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


async def test_a_rebuild_sends_the_state_again(cookie: bytes) -> None:
    await log(record("e1"), record("e2"))

    async with opened("/live/tail", cookie) as page:
        await page.frame_text()
        await database_sync_to_async(rebuild)()
        assert shown(await page.until("data-whole")) == ["e2", "e1"]


async def test_the_ingest_that_stopped_shows_by_itself(cookie: bytes) -> None:
    async with opened("/live/flows", cookie) as page:
        text = await page.until('id="shell-live"')

    assert 'data-ingest="stopped"' in text


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


@pytest.mark.skipif(connection.vendor != "sqlite", reason="others say it with another error")
async def test_live_pages_go_on_after_the_database_was_away(
    cookie: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened("/live/tail", cookie) as page:
        await page.frame_text()
        await database_sync_to_async(execute)("ALTER TABLE tracing_loghead RENAME TO away")
        try:
            async with asyncio.timeout(WAIT_S):
                while "Live pages wait" not in caplog.text:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        finally:
            await database_sync_to_async(execute)("ALTER TABLE away RENAME TO tracing_loghead")
        await log(record("e1"))
        assert shown(await page.until("event=e1")) == ["e1"]

    assert caplog.text.count("Live pages wait") == 1


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


def execute(statement: str) -> None:
    """Run a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
