"""What takes long to draw is drawn less often: it must not starve the other pages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

# Seconds of computing from which on a drawing counts as expensive.
EXPENSIVE_S = 0.1
TIMES = 3
LONGEST_S = 3.0


class Rests:
    """Until when each expensive subscription rests; cheap ones leave no trace."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nobody resting."""
        self._clock = clock
        self._until: dict[Hashable, float] = {}

    def measured(self, subscription: Hashable, draw: Callable[[], str]) -> str:
        """Draw in this thread, and let the subscription rest if that was expensive.

        The thread's own computing counts, not its waiting: a busy machine is no reason to rest.
        """
        started = time.thread_time()
        drawn = draw()
        self.spent(subscription, time.thread_time() - started)
        return drawn

    def spent(self, subscription: Hashable, cost_s: float) -> None:
        """Let a subscription rest for three times what it cost, if that was much."""
        if cost_s > EXPENSIVE_S:
            self._until[subscription] = self._clock() + min(LONGEST_S, TIMES * cost_s)

    def left_s(self, subscription: Hashable) -> float:
        """Return for how long a subscription still rests, 0.0 for most."""
        until = self._until.get(subscription)
        if until is None:
            return 0.0
        left = until - self._clock()
        if left <= 0:
            self._until.pop(subscription, None)
            return 0.0
        return left
