"""How fast a run sends: so many a second, with a slow start. Pure: the time is passed in."""

from __future__ import annotations

import msgspec

# The rate grows from a tenth to the whole in this time.
SLOW_START_S = 4.0
FIRST = 0.1
# What was missed while the broker or the database was slow is made up for so long at most.
CATCH_UP_S = 1.0


class Pace(msgspec.Struct):
    """Counts what may be sent. Starts, and starts slowly again, with `begin`."""

    rate_per_s: float
    began_s: float = 0.0
    sent: float = 0.0

    def begin(self, now_s: float) -> None:
        """Start slowly from now on."""
        self.began_s = now_s
        self.sent = 0.0

    def due(self, now_s: float) -> int:
        """Return how many may be sent now."""
        allowed = self._until(now_s)
        # A long wait must not end in a burst.
        self.sent = max(self.sent, allowed - self.rate_per_s * CATCH_UP_S)
        return max(int(allowed - self.sent), 0)

    def took(self, count: int) -> None:
        """Count what was sent."""
        self.sent += count

    def _until(self, now_s: float) -> float:
        """Return how many may be sent from the beginning to now: the rate's integral."""
        gone = max(now_s - self.began_s, 0.0)
        ramp = min(gone, SLOW_START_S)
        slope = (1 - FIRST) / SLOW_START_S
        # One at once: a single message does not wait.
        return 1 + self.rate_per_s * (FIRST * ramp + slope * ramp * ramp / 2 + gone - ramp)
