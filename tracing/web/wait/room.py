"""The waiting room: however many wait, each new event is read and compared once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from tracing.live.threads import DatabaseAwayError
from tracing.web.wait import stored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.live.follower import Follower
    from tracing.projections.reading import Change
    from tracing.web.api.represent import Json
    from tracing.web.wait.wanted import Content, Status, Wanted

logger = logging.getLogger(__name__)

# So many records are read and decoded at once.
STEP: Final = 200
IDLE_S: Final = 60.0
RETRY_S: Final = 1.0


class Found(NamedTuple):
    """What ended the waiting."""

    status: Status
    event: Json


class _Waiter:
    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()

    def answer(self, event: Json) -> None:
        if not self.found.done():
            self.found.set_result(Found(self.wanted.status(event["type"]), event))

    @property
    def entries(self) -> list[tuple[str, str | None]]:
        """Return under what an event finds this waiter: its type, and one value if one is asked."""
        value = self.wanted.matches[0].value if self.wanted.matches else None
        return [(name, value) for name in self.wanted.all_types]


class WaitingRoom:
    """All who wait in one event loop, found by type and value; one task serves them."""

    def __init__(self, follower: Follower) -> None:
        """Begin empty; the task runs while somebody waits."""
        self._follower = follower
        self._waiters: dict[tuple[str, str | None], set[_Waiter]] = {}
        self._types: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether nobody waits."""
        return not self._waiters

    async def wait(self, wanted: Wanted, *, timeout_s: float) -> Found | None:
        """Return the first event that is wanted, at once if it is stored; None after the time.

        Raises DatabaseAwayError when the log cannot be looked through.
        """
        deadline = time.monotonic() + timeout_s
        waiter = _Waiter(wanted)
        # First a place, then the look at what is stored: nothing slips through in between.
        self._enter(waiter)
        try:
            event = await self._find(wanted)
            if event is not None:
                waiter.answer(event)
            left = max(0.0, deadline - time.monotonic())
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(waiter.found, left)
            return None
        finally:
            self._leave(waiter)

    async def _find(self, wanted: Wanted) -> Json | None:
        ring = self._follower.ring
        newest = ring.window(ring.floor) or []

        def look() -> Json | None:
            recent = []
            if not stored.is_indexed(wanted):
                recent = [it for it in newest if it.type in wanted.all_types]
            return stored.find(wanted, recent)

        return await self._follower.run(look)

    def _enter(self, waiter: _Waiter) -> None:
        for entry in waiter.entries:
            self._waiters.setdefault(entry, set()).add(waiter)
            self._types[entry[0]] = self._types.get(entry[0], 0) + 1
        if self._task is None:
            # From here on: what comes before the task's first step counts too.
            seen = (self._follower.position, self._follower.epoch)
            self._task = asyncio.create_task(self._serve(*seen), name="waiting room")

    def _leave(self, waiter: _Waiter) -> None:
        for entry in waiter.entries:
            self._waiters[entry].discard(waiter)
            if not self._waiters[entry]:
                del self._waiters[entry]
            self._types[entry[0]] -= 1
            if not self._types[entry[0]]:
                del self._types[entry[0]]
        if not self._waiters and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _serve(self, position: int, epoch: int) -> None:
        while True:
            seen = (position, epoch)
            if not await self._follower.moved(lambda: seen, timeout_s=IDLE_S):  # noqa: B023
                continue
            to, now = self._follower.position, self._follower.epoch
            window = self._follower.ring.window(position, to)
            try:
                if now != epoch or window is None:
                    await self._look_again()
                else:
                    await self._compare(window)
            except DatabaseAwayError:
                await asyncio.sleep(RETRY_S)
                continue
            except Exception:
                logger.exception("Those who wait for events missed some; they go on waiting.")
            position, epoch = to, now

    async def _compare(self, window: list[Change]) -> None:
        """Answer whoever waits for one of these changes, the earliest first."""
        concerned = [change for change in window if change.type in self._types]
        for start in range(0, len(concerned), STEP):
            chunk = concerned[start : start + STEP]
            said = await self._follower.run(partial(stored.compared, chunk))
            found = [
                (change, waiter)
                for change in chunk
                if change.position in said
                for waiter in self._fitting(change, said[change.position])
            ]
            if not found:
                continue
            positions = {change.position for change, _ in found}
            events = await self._follower.run(partial(stored.shown, positions))
            for change, waiter in found:
                if change.position in events:
                    waiter.answer(events[change.position])

    def _fitting(self, change: Change, said: Content) -> Iterable[_Waiter]:
        for value in (None, *said.texts()):
            for waiter in self._waiters.get((change.type, value), ()):
                wanted = waiter.wanted
                if change.position > wanted.after and said.fits(wanted.matches):
                    yield waiter

    async def _look_again(self) -> None:
        """Positions changed or too much came at once: look through the log for each."""
        waiters = {waiter for waiters in self._waiters.values() for waiter in waiters}
        for waiter in waiters:
            event = await self._find(waiter.wanted)
            if event is not None:
                waiter.answer(event)


_rooms: dict[Follower, WaitingRoom] = {}


async def wait(follower: Follower, wanted: Wanted, *, timeout_s: float) -> Found | None:
    """Wait in the follower's room, which is there while somebody waits. As `WaitingRoom.wait`."""
    room = _rooms.setdefault(follower, WaitingRoom(follower))
    try:
        return await room.wait(wanted, timeout_s=timeout_s)
    finally:
        if room.is_empty:
            _rooms.pop(follower, None)
