"""Where a partition that has no checkpoint yet begins."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from tracing.ingest.selection import Start
    from tracing.kafka.consumer import LogConsumer, Place


class Beginning:
    """The setting speaks of what was there when we came; what appears later is read whole.

    One an ingestor: a new connection to the cluster is no new coming.
    """

    def __init__(self, start: Start) -> None:
        """Have seen nothing yet."""
        self._start = start
        self._there: frozenset[Place] | None = None

    def see(self, places: Collection[Place]) -> None:
        """Note what is there, the first time."""
        if self._there is None:
            self._there = frozenset(places)

    def offsets(self, places: Collection[Place], consumer: LogConsumer) -> dict[Place, int]:
        """Return the first offset to read of each. Raises BrokerUnavailableError."""
        there = [place for place in places if place in (self._there or ())]
        later = [place for place in places if place not in (self._there or ())]
        return (self._by_setting(there, consumer) if there else {}) | (
            consumer.begin(later) if later else {}
        )

    def _by_setting(self, places: list[Place], consumer: LogConsumer) -> dict[Place, int]:
        if self._start.kind == "latest":
            return consumer.end(places)
        if self._start.kind == "age":
            return consumer.at_time(places, int(time.time() * 1000) - self._start.age_ms)
        return consumer.begin(places)
