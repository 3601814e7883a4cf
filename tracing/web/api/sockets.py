"""`/api/tail`: every event as it comes, one JSON object a line."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import TYPE_CHECKING, NoReturn

import msgspec

from tracing.live.follower import TICK_S
from tracing.live.renders import Shared
from tracing.projections import reading
from tracing.web.api import parameters, represent
from tracing.web.api.views import event_filter
from tracing.web.api.whole import whole_events
from tracing.web.connection import POLICY, RESTARTED, Connection, Refused
from tracing.web.matching import EventFilter

if TYPE_CHECKING:
    from tracing.projections.reading import Change

# So many changes become one frame at most, at most ten times a second: at 5,000/s a script that was
# late has caught up in a third of that time.
STEP = 2_000
IDLE_S = 60.0
KNOWN = ("type", "service", "topic", "text", "after")


class TailStream(Connection):
    """NDJSON from now on, or from `?after=<position>` until it has caught up and goes on.

    Scripts do not acknowledge: a peer that has stopped reading is cut by the server's pings, and
    no more than one frame is ever held for a socket here.
    """

    async def serve(self) -> None:
        """Send frames until the script leaves; an error is a last line and a close code."""
        try:
            parameters.check_known(self.parameters, KNOWN)
            wanted = EventFilter(**event_filter(self.parameters))
            after = parameters.whole(self.parameters, "after")
        except parameters.BadParameterError as error:
            await self._refuse(str(error), POLICY)
        await self.follower.moved(lambda: (self.follower.position, 0), timeout_s=IDLE_S)
        epoch, position = self.follower.epoch, self.follower.position
        if after is not None:
            if after > (await self.work(reading.head)).position:
                await self._refuse("after: the log has not reached this position.", POLICY)
            position = after
        while epoch == self.follower.epoch:
            if position < self.follower.position:
                position = await self._step(wanted, position)
            else:
                seen = (self.follower.position, epoch)
                await self.follower.moved(lambda: seen, timeout_s=IDLE_S)  # noqa: B023
        message = "Positions changed (the read models were rebuilt): connect again without after."
        await self._refuse(message, RESTARTED)

    async def _step(self, wanted: EventFilter, position: int) -> int:
        """Send what follows `position`, at most one frame; return where it ends."""
        started = time.monotonic()
        # Taken before anything is awaited: what is written meanwhile belongs to the next step.
        to, epoch = self.follower.position, self.follower.epoch
        window = self.follower.ring.window(position, to)
        if window is None:
            found = await self.work(functools.partial(reading.changes, position, STEP))
            window = [change for change in found if change.position <= to]
        chunk = window[:STEP]
        if len(chunk) == STEP:
            to = chunk[-1].position
        key = ("api", wanted, epoch, position, to)
        make = functools.partial(self._lines, wanted, epoch, chunk)
        text = await self.follower.renders.get(key, make)
        if text:
            await self.send_texts(text)
        if len(chunk) == STEP:
            await asyncio.sleep(max(0.0, TICK_S - (time.monotonic() - started)))
        # Else the next look at the log sets the pace, for all scripts at once: who comes late one
        # time would otherwise come late, and alone, for ever.
        return to

    async def _lines(self, wanted: EventFilter, epoch: int, chunk: list[Change]) -> str:
        """Return the lines of those that match; each is written once for all scripts."""
        positions = [change.position for change in chunk if wanted.matches(change)]
        if not positions:
            return ""
        return Shared(await self.follower.pieces.get(("api", epoch), positions, self._written))

    async def _written(self, positions: list[int]) -> dict[int, str]:
        return await self.work(functools.partial(_ndjson, positions))

    async def _refuse(self, message: str, code: int) -> NoReturn:
        await self.send(text_data=_line({"error": message}))
        raise Refused(code)


def _ndjson(positions: list[int]) -> dict[int, str]:
    stored = reading.events_at(positions)
    whole = whole_events(stored)
    return {one.position: _line(event) for one, event in zip(stored, whole, strict=True)}


def _line(data: represent.Json) -> str:
    return msgspec.json.encode(data).decode() + "\n"
