"""How fast each partition comes in, over the last minute."""

from __future__ import annotations

from collections import defaultdict, deque

WINDOW_S = 60
_SLICE_S = 5


class Rates:
    """Counts records by partition in slices of five seconds, for a minute.

    Memory: one small dict a slice. `now` is a monotonic clock in seconds.
    """

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._slices: deque[tuple[int, dict[int, int]]] = deque()
        self._began: float | None = None

    def add(self, partition_id: int, records: int, now: float) -> None:
        """Count records of a partition."""
        if self._began is None:
            self._began = now
        number = int(now // _SLICE_S)
        if not self._slices or self._slices[-1][0] != number:
            self._forget(now)
            self._slices.append((number, defaultdict(int)))
        self._slices[-1][1][partition_id] += records

    def per_second(self, now: float) -> dict[int, float]:
        """Return records a second by partition; those without any in the last minute are absent."""
        self._forget(now)
        sums: dict[int, int] = defaultdict(int)
        for _, counts in self._slices:
            for partition_id, records in counts.items():
                sums[partition_id] += records
        # An ingestor that has just begun has no minute behind it.
        length_s = min(WINDOW_S, max(now - (self._began or now), 1.0))
        return {number: round(records / length_s, 2) for number, records in sums.items()}

    def _forget(self, now: float) -> None:
        oldest = int((now - WINDOW_S) // _SLICE_S)
        while self._slices and self._slices[0][0] <= oldest:
            self._slices.popleft()
