"""The one task of a web process that looks for what is new in the log.

It runs while at least one socket is open. Sockets take what they need from its ring and wait for
the next round; nothing is ever sent to them, so nothing can be lost on the way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from tracing.live.pieces import Pieces
from tracing.live.renders import Renders
from tracing.live.rests import Rests
from tracing.live.ring import SIZE, Ring
from tracing.live.threads import DatabaseAwayError, Threads
from tracing.projections import reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tracing.live.threads import Result

logger = logging.getLogger(__name__)

TICK_S = 0.1
SLOWEST_TICK_S = 3.2
# So many changes before the head are read at the start: a page that was rendered a moment ago
# connects with `?after=` and needs no second state.
LOOK_BACK = 1_000
STEP = 5_000
LONGEST_WAIT_S = 5.0


class Follower:
    """What the sockets of one event loop share: ring, renders, pieces, threads, the ticking task.

    `epoch` changes whenever positions known so far mean nothing any more (a rebuild, another
    database): every socket then sends its whole state again. `rounds` counts looks at the log.
    `healthy` is False while the database is away.
    """

    def __init__(self) -> None:
        """Make an idle follower; `start` makes it tick."""
        self.ring = Ring()
        self.renders: Renders[str] = Renders()
        self.pieces = Pieces()
        self.rests = Rests()
        self.epoch = 0
        self.rounds = 0
        self.healthy = True
        self._generation: int | None = None
        # Its own thread: rendering never holds up the reading of the log.
        self._log_thread = Threads(1)
        self._threads = Threads()
        self._tick_s = TICK_S
        self._moved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def position(self) -> int:
        """Return the newest position that the ring knows."""
        return self.ring.end

    async def start(self) -> None:
        """Read the head once, then tick in the background. The database may be away."""
        with contextlib.suppress(DatabaseAwayError):
            await self._round()
        self._task = asyncio.create_task(self._follow(), name="log follower")

    async def stop(self) -> None:
        """End the task, the renders and the threads."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.renders.close()
        await self._log_thread.close()
        await self._threads.close()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run `work`, which may use the ORM, in one of the sockets' threads."""
        return await self._threads.run(work)

    async def moved(
        self,
        seen: Callable[[], tuple[int, int]],
        *,
        timeout_s: float,
        every: int = 1,
        turn: int = 0,
    ) -> bool:
        """Wait until (position, epoch) differs from what was seen; False after `timeout_s`.

        Who wants changes at `every` so manieth round only, gets them with all others who do; of
        several such crowds each has its own `turn`.
        """
        deadline = time.monotonic() + timeout_s
        while self.rounds % every != turn % every or seen() == (self.position, self.epoch):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`: that makes a task, for each socket at each tick.
                async with asyncio.timeout(left):
                    await self._moved.wait()
        return True

    async def reached(self, position: int, *, timeout_s: float = 3 * TICK_S) -> bool:
        """Tell whether the log has come to a position; a page may be a tick ahead of this task."""
        deadline = time.monotonic() + timeout_s
        while self.position < position and time.monotonic() < deadline:
            seen = (self.position, self.epoch)
            await self.moved(lambda: seen, timeout_s=TICK_S)  # noqa: B023
        return self.position >= position

    def nudge(self) -> None:
        """Let everybody who waits look again: somebody's `seen` changed."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def _follow(self) -> None:
        wait_s, took_s, owed = 0.0, 0.0, False
        while True:
            await asyncio.sleep(wait_s or max(0.0, self._tick_s - took_s))
            started = time.monotonic()
            try:
                moved = await self._round()
            except DatabaseAwayError as error:
                if self.healthy:
                    logger.warning("Live pages wait: %s", error)
                self.healthy = False
                wait_s = min(LONGEST_WAIT_S, max(2 * wait_s, 2 * TICK_S))
                continue
            except Exception:
                # A defect must not end live pages in silence: say it, go on slowly.
                logger.exception("The log follower failed; it goes on.")
                wait_s = LONGEST_WAIT_S
                continue
            if not self.healthy:
                logger.warning("Live pages go on.")
            self.healthy, wait_s = True, 0.0
            took_s = time.monotonic() - started
            self._pace(took_s)
            self.rounds += 1
            # Who waits for every second round has not seen what the round before brought.
            if moved or owed:
                self.nudge()
            owed = moved

    def _pace(self, took_s: float) -> None:
        """Tick slower when a round outlasts its tick, and faster again when it does not."""
        if took_s > self._tick_s:
            self._tick_s = min(SLOWEST_TICK_S, self._tick_s * 2)
        elif took_s < self._tick_s / 4:
            self._tick_s = max(TICK_S, self._tick_s / 2)

    async def _round(self) -> bool:
        """Bring the ring to the head of the log; True if anything is new."""
        head = await self._log_thread.run(reading.head)
        if self._generation != head.generation or head.position < self.position:
            floor = max(0, head.position - LOOK_BACK)
            self._reset(floor, generation=head.generation)
        elif head.position == self.position:
            return False
        elif head.position - self.position > SIZE:
            # More than the ring holds: whoever waits needs the state, not the way there.
            self.ring = Ring(floor=head.position - SIZE)
        await self._read_up_to(head.position)
        return True

    def _reset(self, floor: int, *, generation: int) -> None:
        self.ring = Ring(floor=floor)
        self._generation = generation
        self.epoch += 1

    async def _read_up_to(self, position: int) -> None:
        """Read narrow columns of what is new, in steps that keep each query short."""
        while self.ring.end < position:
            after = self.ring.end
            found = await self._log_thread.run(partial(reading.changes, after, STEP))
            # A step may see what was written after the head was read: that is as good.
            last = found[-1].position if found else after
            self.ring.append(found, end=last if len(found) == STEP else max(last, position))


_followers: WeakKeyDictionary[asyncio.AbstractEventLoop, _Shared] = WeakKeyDictionary()


class _Shared:
    """A loop's follower and how many sockets use it."""

    def __init__(self) -> None:
        self.sockets = 0
        self.lock = asyncio.Lock()
        self.follower: Follower | None = None


def open_sockets() -> int:
    """Return how many sockets follow the log in this event loop."""
    shared = _followers.get(asyncio.get_running_loop())
    return shared.sockets if shared else 0


@contextlib.asynccontextmanager
async def following() -> AsyncIterator[Follower]:
    """Use this loop's follower: the first who enters starts it, the last who leaves ends it."""
    loop = asyncio.get_running_loop()
    shared = _followers.setdefault(loop, _Shared())
    shared.sockets += 1
    try:
        async with shared.lock:
            if shared.follower is None:
                follower = Follower()
                await follower.start()
                shared.follower = follower
        yield shared.follower
    finally:
        shared.sockets -= 1
        if shared.sockets == 0:
            await asyncio.shield(_end(shared))


async def _end(shared: _Shared) -> None:
    async with shared.lock:
        if shared.sockets == 0 and shared.follower is not None:
            follower, shared.follower = shared.follower, None
            await follower.stop()
