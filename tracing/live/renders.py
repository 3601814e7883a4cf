"""One render for all sockets that show the same."""

from __future__ import annotations

import asyncio
import functools
import math
import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable


class Shared(str):
    """A text for many sockets: encoded once."""

    @functools.cached_property
    def utf8(self) -> bytes:
        """Return its bytes, the same object each time; half of a character as a reference."""
        return self.encode(errors="xmlcharrefreplace")


def utf8(text: str) -> bytes:
    """Return a text's bytes; of a shared one without a copy."""
    return text.utf8 if isinstance(text, Shared) else text.encode()


class Sized(Protocol):
    """Anything with a length."""

    def __len__(self) -> int:
        """Return the length."""


Made = TypeVar("Made", bound=Sized)

MAX_ENTRIES = 512
MAX_LENGTH = 16 * 1024 * 1024
# What is shown tells times as of when it was made: nobody gets it much later.
FRESH_S = 1.0


class Renders(Generic[Made]):
    """A bounded cache in which every value is made once, however many ask for it at once.

    Keys name everything that the value depends on (what is shown, from where, to where) but the
    time: what was made longer than `FRESH_S` ago is made again. The oldest go first, by number and
    by total length.
    """

    def __init__(
        self,
        *,
        max_entries: int = MAX_ENTRIES,
        max_length: int = MAX_LENGTH,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin empty."""
        self._tasks: dict[Hashable, asyncio.Task[Made]] = {}
        self._lengths: dict[Hashable, int] = {}
        self._made_at: dict[Hashable, float] = {}
        self._clock = clock
        self._max_entries = max_entries
        self._max_length = max_length
        self._length = 0

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        """Return the value of `key`, made by the first who asks; a failure is not kept."""
        if self._clock() - self._made_at.get(key, math.inf) > FRESH_S:
            self._forget(key)
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.create_task(self._make(key, make))
            self._tasks[key] = task
            self._shrink()
        # Whoever asks may leave: the others still want the value.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Forget everything and end what is being made."""
        tasks = [task for task in self._tasks.values() if not task.done()]
        self._tasks.clear()
        self._lengths.clear()
        self._made_at.clear()
        self._length = 0
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        try:
            made = await make()
        except BaseException:
            self._forget(key)
            raise
        if key in self._tasks:
            self._lengths[key] = len(made)
            self._made_at[key] = self._clock()
            self._length += len(made)
            self._shrink()
        return made

    def _shrink(self) -> None:
        while len(self._tasks) > self._max_entries or self._length > self._max_length:
            self._forget(next(iter(self._tasks)))

    def _forget(self, key: Hashable) -> None:
        self._tasks.pop(key, None)
        self._made_at.pop(key, None)
        self._length -= self._lengths.pop(key, 0)
