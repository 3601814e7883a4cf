"""The sockets of live pages: the state first, then what changed, at the browser's pace."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string

from tracing.live.renders import Shared
from tracing.projections.dead_letter_reading import totals
from tracing.web import context
from tracing.web.connection import TRY_LATER, Connection, Refused
from tracing.web.retries.rows import running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from tracing.projections.reading import Change

STALLED_S = 15.0
# A page that gets large frames gets them at every second look at the log: nobody reads that much
# ten times a second, and what is drawn then serves all such pages of its kind.
LARGE = 50_000
LARGE_ROUNDS = 2
# How often the line at the page's foot is looked at.
SHELL_S = 1


class LiveSocket(Connection):
    """A page's socket: sends HTML fragments with `hx-swap-oob`.

    Subclasses say what they show. Renders are shared by all sockets of one `subscription`, so a
    fragment holds nothing of one viewer. Every frame ends with `#live-position`, which carries
    the position that the page now stands at and the frame's number; the browser answers
    `{"ack": number}` and gets the next frame only then. `?after=` continues from a position.

    `position` is where the page stands, `seen` how far this socket has looked: they differ only
    while a page does not want to go on.
    """

    # Every how many seconds `render_clock` is asked; 0 for never.
    clock_s = 0
    # At which looks at the log large frames are drawn: two kinds of pages do not do it at once.
    turn = 0
    position = 0
    seen = 0

    def subscription(self) -> Hashable:
        """Return what is shown: equal for sockets that may share their fragments."""
        raise NotImplementedError

    def matches(self, change: Change) -> bool:
        """Tell whether a change touches what is shown; cheap, in memory."""
        raise NotImplementedError

    def render_state(self, position: int) -> str:
        """Return everything, as it stands at `position` or later. May use the ORM."""
        raise NotImplementedError

    def render_changes(self, changes: list[Change]) -> str:
        """Return what these matching changes altered, '' for nothing. May use the ORM."""
        raise NotImplementedError

    def render_clock(self) -> str:
        """Return what alters by the passing of time alone, '' for nothing. May use the ORM."""
        return ""

    def said(self, message: dict[str, Any]) -> None:
        """Take the acknowledgement of the frame that is on its way."""
        if message.get("ack") == self._frame:
            self._acknowledged.set()

    async def connect(self) -> None:
        """Begin with nothing sent."""
        self._frame, self._size = 0, 0
        self._acknowledged = asyncio.Event()
        self._timed: dict[Hashable, str] = {}
        self._looked_at = 0.0
        await super().connect()

    async def serve(self) -> None:
        """Send the first frame, then one a tick at most, each after the one before arrived."""
        await self._send(await self.first(), "")
        while True:
            await self._wait_for_browser()
            # What took long to draw rests for a while.
            await asyncio.sleep(self.follower.rests.left_s(self.subscription()))
            every = LARGE_ROUNDS if self._size >= LARGE else 1
            await self.follower.moved(self._seen, timeout_s=SHELL_S, every=every, turn=self.turn)
            body, by_time = await self.advance(), await self._by_time()
            if body or by_time:
                await self._send(body, by_time)

    async def first(self) -> str:
        """Return the state, or what came since `?after=` if that is still known."""
        after = self.number("after")
        if after is not None and await self.follower.reached(after):
            self.epoch = self.follower.epoch
            if self.follower.ring.window(after) is not None:
                self.position = self.seen = after
                return await self.advance()
        return await self.state()

    async def state(self) -> str:
        """Return everything, shared by the sockets that ask at the same position."""
        follower = self.follower
        self.epoch, position = follower.epoch, follower.position
        key = (self.subscription(), "state", self.epoch, position, int(time.monotonic()))
        body = await self.shared(key, lambda: self.work(lambda: self.render_state(position)))
        self.position = self.seen = position
        return body

    async def advance(self) -> str:
        """Return what brings the page to the newest position, '' when it sees no difference."""
        to = self.follower.position
        window = self.follower.ring.window(self.position, to)
        if self.epoch != self.follower.epoch or window is None:
            return await self.state()
        body = await self.changes(window, to) if window else ""
        self.position = self.seen = to
        return body

    async def changes(self, window: list[Change], to: int) -> str:
        """Return the fragments of a window of the ring, shared with others that stand there."""
        key = (self.subscription(), self.epoch, self.position, to)
        return await self.shared(key, lambda: self.drawn(window, to))

    async def drawn(self, window: list[Change], to: int) -> str:  # noqa: ARG002
        """Return the fragments of a window that ends at `to`, '' for nothing."""
        matching = [change for change in window if self.matches(change)]
        if not matching:
            return ""
        draw = functools.partial(self.render_changes, matching)
        rests, subscription = self.follower.rests, self.subscription()
        return await self.work(lambda: rests.measured(subscription, draw))

    async def shared(self, key: Hashable, make: Callable[[], Awaitable[str]]) -> str:
        """Return what all sockets with this key send, made by the first who asks."""

        async def made() -> str:
            return Shared(await make())

        return await self.follower.renders.get(key, made)

    async def _by_time(self) -> str:
        """Return the line at the page's foot and what aged, if they differ from the last time."""
        if time.monotonic() - self._looked_at < SHELL_S:
            return ""
        self._looked_at = time.monotonic()
        body = await self._timely("shell", SHELL_S, _shell)
        if self.clock_s:
            body += await self.by_clock()
        return body

    async def by_clock(self) -> str:
        """Return what `render_clock` gives if it differs from the last time."""
        return await self._timely(self.subscription(), self.clock_s, self.render_clock)

    async def _timely(self, name: Hashable, every_s: int, render: Callable[[], str]) -> str:
        key = (name, "clock", int(time.time()) // every_s)
        text = await self.shared(key, lambda: self.work(render))
        if self._timed.get(name) == text:
            return ""
        self._timed[name] = text
        return text

    def _seen(self) -> tuple[int, int]:
        return self.seen, self.epoch

    async def _send(self, body: str, by_time: str) -> None:
        self._frame, self._size = self._frame + 1, len(body)
        self._acknowledged.clear()
        end = render_to_string(
            "tracing/partials/_live_position.html",
            {"position": self.position, "frame": self._frame},
        )
        await self.send_texts(body, by_time, end)

    async def _wait_for_browser(self) -> None:
        """Wait for the acknowledgement; Refused when the browser stopped reading."""
        try:
            async with asyncio.timeout(STALLED_S):
                await self._acknowledged.wait()
        except TimeoutError:
            raise Refused(TRY_LATER) from None


def _shell() -> str:
    return render_to_string(
        "tracing/partials/_shell_state.html",
        {
            "ingest": context.ingest_state(),
            "running": running(),
            "open_dead_letters": totals(),
        },
    )
