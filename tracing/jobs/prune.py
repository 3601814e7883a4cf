"""Keep what the settings ask for, and remove older flows in small steps."""

from __future__ import annotations

import time

from tracing.jobs.step import Step
from tracing.projections.prune import Pruner
from tracing.projections.size import record_count, used_bytes

# One run: so long at most, in transactions far shorter than that.
BUDGET_S = 1.0


class Prune(Step):
    """Removes what is older than an age, and the oldest while the data outgrow a size."""

    name = "prune"
    # Statistics of Postgres need a while to follow a deletion.
    every_s = 300.0

    def __init__(self, *, keep_ms: int = 0, keep_bytes: int = 0) -> None:
        """Keep everything unless one of them is given."""
        self._keep_ms = keep_ms
        self._keep_bytes = keep_bytes
        self._pruner: Pruner | None = None
        self._left: int | None = None

    def wanted(self) -> bool:
        """Tell whether anything is to be removed, ever."""
        return bool(self._keep_ms or self._keep_bytes)

    def run(self) -> bool:
        """Remove flows for a second; return whether there may be more."""
        pruner = self._pruner = self._pruner or self._begin()
        if pruner is None:
            return False
        deadline = time.monotonic() + BUDGET_S
        while time.monotonic() < deadline:
            done = pruner.step()
            if self._left is not None:
                self._left -= done.records
            if not done.more or (self._left is not None and self._left <= 0):
                self._pruner = None
                return False
        return True

    def _begin(self) -> Pruner | None:
        """Return what removes first by age, then by size; None when all may stay."""
        now_ms = int(time.time() * 1_000)
        self._left = None
        if self._keep_ms:
            pruner = Pruner(now_ms - self._keep_ms, now_ms=now_ms)
            if pruner.has_work():
                return pruner
        used = used_bytes() if self._keep_bytes else 0
        if used <= self._keep_bytes:
            return None
        self._left = record_count() * (used - self._keep_bytes) // used + 1
        return Pruner(now_ms, now_ms=now_ms)
