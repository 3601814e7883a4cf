"""What every websocket has: who may open it, its limits, and one task that serves it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from tracing.live.follower import Follower, following, open_sockets
from tracing.live.renders import utf8
from tracing.live.threads import DatabaseAwayError
from tracing.web import scopes
from tracing.web.parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    Result = TypeVar("Result")

logger = logging.getLogger(__name__)

# Close codes. htmx connects again after 1012 and 1013, not after those of our own.
UNSUPPORTED, POLICY, TOO_BIG, FAILED = 1003, 1008, 1009, 1011
RESTARTED, TRY_LATER = 1012, 1013
SIGNED_OUT = 4401

MAX_SOCKETS = 1_000
MAX_MESSAGE = 1_000
MAX_MESSAGES_A_SECOND = 50
CHECK_ACCESS_S = 60.0
RETRY_S = 1.0


class Refused(Exception):  # noqa: N818
    """This socket ends, with a close code."""

    def __init__(self, code: int) -> None:
        """Keep the code that the browser is told."""
        super().__init__(code)
        self.code = code


class Connection(AsyncWebsocketConsumer):  # type: ignore[misc]
    """A websocket that serves from the log's follower until one side leaves.

    Subclasses write `serve`, which runs as the socket's one task and may raise Refused, and
    `said` for what the other side sends. A foreign origin and somebody who is not signed in get
    no socket at all; a session that ends later closes it with 4401.
    """

    follower: Follower

    async def serve(self) -> None:
        """Send until cancelled."""
        raise NotImplementedError

    def said(self, message: dict[str, Any]) -> None:
        """Take a JSON object that the other side sent; others are ignored."""

    @functools.cached_property
    def parameters(self) -> dict[str, str]:
        """Return the query string's parameters, of each the last."""
        raw = self.scope["query_string"].decode("utf-8", "replace")
        return {name: values[-1] for name, values in parse_qs(raw, keep_blank_values=True).items()}

    def number(self, name: str) -> int | None:
        """Return a parameter that is a whole number of 0 or more, else None."""
        raw = self.parameters.get(name, "")
        return int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 18 else None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one socket; also when the server stops in between, nothing is left running."""
        self._task: asyncio.Task[None] | None = None
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._end()

    async def connect(self) -> None:
        """Accept the socket of somebody who may look, and begin to serve it."""
        self._second, self._messages = 0, 0
        try:
            allowed = await self._may_look()
        except DatabaseError as error:
            logger.warning("A socket is refused, nobody can be signed in: %s", error)
            allowed = False
        if not allowed:
            await self.close()
            return
        await self.accept()
        self._task = asyncio.create_task(self._run(), name=f"socket {self.scope['path']}")

    async def disconnect(self, code: int) -> None:  # noqa: ARG002
        """End the task."""
        await self._end()

    async def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle a message here: nothing of a socket needs Django's shared database thread."""
        handlers: dict[str, Callable[[dict[str, Any]], Awaitable[None]]] = {
            "websocket.connect": self.websocket_connect,
            "websocket.receive": self.websocket_receive,
            "websocket.disconnect": self.websocket_disconnect,
        }
        await handlers[message["type"]](message)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take a small JSON object, at most so many a second; close on anything else."""
        if text_data is None or bytes_data is not None:
            await self.close(UNSUPPORTED)
            return
        if len(text_data) > MAX_MESSAGE:
            await self.close(TOO_BIG)
            return
        second = int(time.monotonic())
        self._messages = self._messages + 1 if second == self._second else 1
        self._second = second
        try:
            message = json.loads(text_data)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or self._messages > MAX_MESSAGES_A_SECOND:
            await self.close(POLICY)
            return
        self.said(message)

    async def send_texts(self, *texts: str) -> None:
        """Send some texts as one message. Of shared ones the server takes the bytes as they are."""
        if PARTS in self.scope.get("extensions", ()):
            await self.base_send({"type": PARTS, "parts": [utf8(text) for text in texts]})
        else:
            await self.send(text_data="".join(texts))

    async def work(self, function: Callable[[], Result]) -> Result:
        """Run a function that uses the ORM; while the database is away, wait and try again."""
        while True:
            try:
                return await self.follower.run(function)
            except DatabaseAwayError:
                await asyncio.sleep(RETRY_S)

    async def _run(self) -> None:
        try:
            if open_sockets() >= MAX_SOCKETS:
                raise Refused(TRY_LATER)
            async with following() as self.follower, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch_access())
                tasks.create_task(self.serve())
        except* Refused as refusals:
            first = refusals.exceptions[0]
            await self.close(first.code if isinstance(first, Refused) else FAILED)
        except* Exception:
            logger.exception("The socket %s failed.", self.scope["path"])
            await self.close(FAILED)

    async def _watch_access(self) -> None:
        """Ask again from time to time: a session ends, a token is taken back."""
        while True:
            await asyncio.sleep(CHECK_ACCESS_S)
            with contextlib.suppress(DatabaseError):
                if not await self._may_look():
                    raise Refused(SIGNED_OUT)

    async def _may_look(self) -> bool:
        return await database_sync_to_async(scopes.scope_allowed)(self.scope) is not None
