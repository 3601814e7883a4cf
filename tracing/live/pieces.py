"""What single events and flows look like, made once for all sockets, wherever they stand."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Sequence

MAX_LENGTH = 32 * 1024 * 1024
# What is known of an event changes with its flow, so an old piece is made again.
FRESH_S = 10.0


class Pieces:
    """A bounded cache of texts by (kind, position), the oldest forgotten first."""

    def __init__(
        self, *, max_length: int = MAX_LENGTH, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin empty."""
        self._max_length = max_length
        self._clock = clock
        self._length = 0
        # A plain dictionary looks for its oldest entry among all that were removed before it.
        self._made: OrderedDict[tuple[Hashable, int], tuple[float, str]] = OrderedDict()
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def get(
        self,
        kind: Hashable,
        positions: Sequence[int],
        make: Callable[[list[int]], Awaitable[dict[int, str]]],
    ) -> str:
        """Return the pieces at these positions as one text.

        `make` returns those that are missing, by position; '' stands where it returns none.
        Whoever asks meanwhile waits, so that nothing is made twice.
        """
        async with self._locks.setdefault(kind, asyncio.Lock()):
            old = self._clock() - FRESH_S
            found: dict[int, str] = {}
            missing = []
            for position in positions:
                made = self._made.get((kind, position))
                if made is None or made[0] < old:
                    missing.append(position)
                else:
                    found[position] = made[1]
            if missing:
                fresh = await make(missing)
                self._keep(kind, fresh)
                found.update(fresh)
        return "".join([found.get(position, "") for position in positions])

    def _keep(self, kind: Hashable, fresh: dict[int, str]) -> None:
        now = self._clock()
        for position, text in fresh.items():
            before = self._made.pop((kind, position), None)
            self._length += len(text) - (len(before[1]) if before else 0)
            self._made[kind, position] = (now, text)
        while self._length > self._max_length and self._made:
            _, (_, text) = self._made.popitem(last=False)
            self._length -= len(text)
