"""The live tail: `/live/tail?<the tail's filters>&after=<position>`."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from tracing.live.follower import TICK_S
from tracing.live.ring import SIZE
from tracing.projections import reading
from tracing.web.socket import LiveSocket
from tracing.web.tail import filters, present

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tracing.projections.reading import Change

# Of one frame: more in a tenth of a second nobody reads; the rest is counted and said.
MAX_ROWS = 200
COUNT_S = 1.0


class TailSocket(LiveSocket):
    """Sends events as they come.

    `{"pause": true}` keeps the position: only the number of waiting events is sent, at most once
    a second. `{"pause": false}` goes on from there, frame by frame, and leaves nothing out; so
    does a page that comes back with `?after=`. Whoever is further behind than the ring is long
    gets the newest events and the number of those in between.
    """

    async def connect(self) -> None:
        """Read the filters."""
        self.asked = filters.parse(self.parameters)
        self.filter = self.asked.filter
        self._paused = False
        self._catching_up = self.number("after") is not None
        self._waiting, self._said_waiting, self._counted_at = 0, 0, 0.0
        await super().connect()

    def said(self, message: dict[str, Any]) -> None:
        """Take acknowledgements, pause and resume."""
        super().said(message)
        pause = message.get("pause")
        if pause is True and not self._paused:
            self._paused = True
            self._waiting, self._said_waiting, self._counted_at = 0, 0, 0.0
        elif pause is False and self._paused:
            self._paused, self._catching_up = False, True
            self.seen = self.position
            self.follower.nudge()

    def subscription(self) -> Hashable:
        """Return the filters."""
        return ("tail", *self.asked.given.items())

    def matches(self, change: Change) -> bool:
        """Tell whether the filters let a change pass."""
        return self.filter.matches(change)

    async def first(self) -> str:
        """Return what came since `?after=`, however old, else the newest events."""
        after = self.number("after")
        if after is not None and await self.follower.reached(after):
            self.epoch = self.follower.epoch
            self.position = self.seen = after
            return await self.advance()
        return await self.state()

    async def advance(self) -> str:
        """Return the next events; while paused, how many wait."""
        if self.epoch != self.follower.epoch:
            return await self.state()
        if self._paused:
            return await self._count()
        if not self._catching_up:
            return await super().advance()
        return await self._catch_up()

    def render_state(self, position: int) -> str:
        """Return the newest events up to the position, in place of all rows."""
        wanted = self.asked.filter
        page = reading.list_events(
            before=position + 1,
            limit=MAX_ROWS,
            type=wanted.type,
            service=wanted.service,
            topic=wanted.topic,
            text=wanted.text,
        )
        return present.updates(page.events, self.asked, whole=True)

    async def changes(self, window: list[Change], to: int) -> str:
        """Return the newest of a window's matching events, and how many more there were.

        Under load a window holds more than a frame shows: the rows are then the same for all
        pages that go on at this tick, however long ago their last frame was.
        """

        async def make() -> str:
            matching = [change for change in window if self.matches(change)]
            if not matching:
                return ""
            shown = [change.position for change in matching[-MAX_ROWS:]]
            drawn = await self.follower.renders.get(
                (self.subscription(), "rows", self.epoch, shown[0], to),
                functools.partial(self.work, functools.partial(_draw, shown)),
            )
            missed = len(matching) - len(shown)
            return present.frame(SafeString(drawn), self.asked, before=shown[0], missed=missed)

        key = (self.subscription(), self.epoch, self.position, to)
        return await self.follower.renders.get(key, make)

    async def _catch_up(self) -> str:
        """Return the oldest events that are still missing, one frame a tick."""
        to = self.follower.position
        if to - self.position > SIZE:
            self._catching_up = False
            return await self.state()
        window = self.follower.ring.window(self.position, to)
        if window is None:
            window = await self.work(functools.partial(reading.changes, self.position, SIZE))
        matching = [c for c in window if c.position <= to and self.matches(c)]
        if len(matching) > MAX_ROWS:
            del matching[MAX_ROWS:]
            to = matching[-1].position
        else:
            self._catching_up = False
        body = await self.changes(matching, to) if matching else ""
        self.position = self.seen = to
        if self._catching_up:
            await asyncio.sleep(TICK_S)
        return body

    async def _count(self) -> str:
        """Count what waits; at most once a second a frame says it, and nothing else."""
        window = self.follower.ring.window(self.seen)
        self._waiting += sum(map(self.matches, window or ()))
        self.seen = self.follower.position
        if time.monotonic() - self._counted_at < COUNT_S or self._waiting == self._said_waiting:
            return ""
        self._counted_at, self._said_waiting = time.monotonic(), self._waiting
        return render_to_string("tracing/partials/_tail_waiting.html", {"waiting": self._waiting})


def _draw(positions: list[int]) -> str:
    """Return the rows of these events, newest first. Uses the ORM."""
    return present.draw(reading.events_at(positions)[::-1])
