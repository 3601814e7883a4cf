"""The newest changes of the log, in memory: what waiting sockets take their share from."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.projections.reading import Change

SIZE = 20_000
_position = attrgetter("position")


class Ring:
    """Changes by position, the oldest forgotten first.

    It knows every change with `floor < position <= end`. A position outside of that range gets no
    answer (None) instead of half of one.
    """

    def __init__(self, *, size: int = SIZE, floor: int = 0) -> None:
        """Begin empty, knowing that nothing happened after `floor` yet."""
        self._size = size
        self._changes: list[Change] = []
        self.floor = floor
        self.end = floor

    def append(self, changes: Iterable[Change], *, end: int) -> None:
        """Add what came after `end` so far, in order of position, and move `end`."""
        self._changes.extend(changes)
        self.end = end
        # Cutting in large pieces keeps the cost of an append constant.
        if len(self._changes) > self._size + self._size // 4:
            cut = len(self._changes) - self._size
            self.floor = self._changes[cut - 1].position
            del self._changes[:cut]

    def window(self, after: int, to: int | None = None) -> list[Change] | None:
        """Return the changes with `after < position <= to` (default: all), None if too old.

        None also answers a position that the log has not reached: it belongs to another log.
        """
        if not self.floor <= after <= self.end:
            return None
        first = bisect_right(self._changes, after, key=_position)
        last = None if to is None else bisect_right(self._changes, to, key=_position)
        return self._changes[first:last]
