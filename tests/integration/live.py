"""A live page's end of a socket, and what it stands on: the follower of the test's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator

from eventviz.asgi import application
from tests.integration.log import write
from tests.servers.processes import PATIENCE_S
from tracing.live import follower

HOST = b"127.0.0.1:8000"
# How long a frame may take on a busy machine.
WAIT_S = 60


async def followed(position: int) -> None:
    """Wait until the loop's follower has read the log up to a position."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            shared = follower._followers.get(asyncio.get_running_loop())
            if shared and shared.follower and shared.follower.position >= position:
                return
            await asyncio.sleep(0.01)


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
    async with connected(page.socket):
        yield page


@contextlib.asynccontextmanager
async def connected(socket: WebsocketCommunicator) -> AsyncIterator[None]:
    """Open a socket that must not be refused, and leave it at the end."""
    accepted, _ = await socket.connect(timeout=WAIT_S)
    assert accepted
    try:
        yield
    finally:
        await socket.disconnect(timeout=WAIT_S)


async def log(*records: Any) -> int:
    """Write to the log from another thread, as another process would."""
    position: int = await database_sync_to_async(write)(*records)
    return position
