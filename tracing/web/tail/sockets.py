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
from tracing.schemas.unregistered import unregistered
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

    async def drawn(self, window: list[Change], to: int) -> str:  # noqa: ARG002
        """Return the newest of a window's matching events, and how many more there were.

        A row is drawn once, whatever the filters of the tails that show it, and however long ago
        their last frames were.
        """
        matching = [change.position for change in window if self.matches(change)]
        if not matching:
            return ""
        shown = matching[-MAX_ROWS:]
        rows = await self.follower.pieces.get(("tail", self.epoch), shown[::-1], self._rows)
        missed = len(matching) - len(shown)
        return present.frame(SafeString(rows), self.asked, before=shown[0], missed=missed)

    async def _rows(self, positions: list[int]) -> dict[int, str]:
        return await self.work(functools.partial(_draw, positions))

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


def _draw(positions: list[int]) -> dict[int, str]:
    """Return the row of each of these events by its position. Uses the ORM."""
    items = reading.events_at(positions)
    unknown = unregistered(item.event for item in items)
    rows = present.draw(items, unknown)
    return {item.position: row for item, row in zip(items, rows, strict=True)}
