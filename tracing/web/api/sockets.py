"""`/api/tail`: every event as it comes, one JSON object a line."""

from __future__ import annotations

import asyncio
import functools
import time
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

import msgspec

from tracing.live.follower import TICK_S
from tracing.projections import reading
from tracing.web.api import parameters, represent
from tracing.web.api.views import event_filter
from tracing.web.api.whole import whole_events
from tracing.web.connection import POLICY, RESTARTED, Connection, Refused
from tracing.web.matching import EventFilter

if TYPE_CHECKING:
    from tracing.projections.reading import Change

# So many changes become one frame at most, at most ten times a second.
STEP = 1_000
# So many positions are rendered as one piece, for all scripts that ask for the same.
SEGMENT = 500
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
            window = await self.work(functools.partial(reading.changes, position, STEP))
        chunk = [change for change in window[:STEP] if change.position <= to]
        if len(chunk) == STEP:
            to = chunk[-1].position
        text = "".join(
            [
                await self.follower.renders.get(
                    ("api", wanted, epoch, start, end),
                    functools.partial(self._lines, wanted, chunk, start, end),
                )
                for start, end in segments(position, to)
            ]
        )
        if text:
            await self.send(text_data=text)
            await asyncio.sleep(max(0.0, TICK_S - (time.monotonic() - started)))
        return to

    async def _lines(self, wanted: EventFilter, chunk: list[Change], start: int, end: int) -> str:
        positions = [
            change.position
            for change in chunk
            if start < change.position <= end and wanted.matches(change)
        ]
        if not positions:
            return ""
        return await self.work(functools.partial(_ndjson, positions))

    async def _refuse(self, message: str, code: int) -> NoReturn:
        await self.send(text_data=_line({"error": message}))
        raise Refused(code)


def segments(position: int, to: int) -> list[tuple[int, int]]:
    """Cut what follows a position at multiples of `SEGMENT`, up to `to`.

    Scripts that stand at different places share all that is whole: each line is written twice at
    most, however far they have drifted apart.
    """
    cuts = [position, *range((position // SEGMENT + 1) * SEGMENT, to, SEGMENT), to]
    return list(pairwise(cuts))


def _ndjson(positions: list[int]) -> str:
    return "".join(_line(event) for event in whole_events(reading.events_at(positions)))


def _line(data: represent.Json) -> str:
    return msgspec.json.encode(data).decode() + "\n"
