"""What the ingestor says of itself: one row, about once a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
from django.db import DatabaseError
from django.utils import timezone

from tracing.ingest.rates import Rates
from tracing.models import Ingestor, Partition
from tracing.models.ingestor import MAX_HELD
from tracing.projections import room

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

EVERY_S = 1.0


class Reporter:
    """Counts what was stored and writes the row that the foot of every page shows."""

    def __init__(self, name: str, cluster: str) -> None:
        """Say nothing yet."""
        self._name = name
        self._cluster = cluster
        self._stored = 0
        self._since = time.monotonic()
        self._newest_ms = 0
        self._away_since: datetime | None = None
        self._rates = Rates()

    def count(self, partition_id: int, records: int, newest_ms: int) -> None:
        """Note what was stored of a partition and the Kafka time of its newest record."""
        self._stored += records
        self._newest_ms = max(self._newest_ms, newest_ms)
        self._rates.add(partition_id, records, time.monotonic())

    def due(self) -> bool:
        """Tell whether it is time to say something again."""
        return time.monotonic() - self._since >= EVERY_S

    def running(self, standing: Standing) -> None:
        """Say how far behind the log's end we are; costs two statements and one a moved end."""
        if self._away_since:
            room.say_room()
        self._away_since = None
        behind_ms = max(int(time.time() * 1000) - self._newest_ms, 0) if standing.lag else 0
        for partition_id, end in standing.ends.items():
            Partition.objects.filter(id=partition_id).update(end_offset=end)
        self._write(
            "running",
            topics=standing.topics,
            lag=standing.lag,
            behind_ms=behind_ms if self._newest_ms else 0,
            held=self._held(standing.held),
        )

    def waiting(self, reason: str, *, refused: bool = False) -> None:
        """Say that the broker is away, or that it does not let us in, and since when."""
        self._write("refused" if refused else "waiting", detail=self._since_when(reason))

    def full(self, reason: str) -> None:
        """Say that the database has no room left, and since when, if need be beside it."""
        try:
            self._write("full", detail=self._since_when(reason))
        except DatabaseError:
            room.say_full()

    def stopped(self) -> None:
        """Say goodbye."""
        self._write("stopped", held=[])

    def _held(self, partition_ids: Iterable[int]) -> list[tuple[int, float]]:
        """Return the partitions in hand, each with its records a second."""
        rates = self._rates.per_second(time.monotonic())
        held = sorted(partition_ids)[:MAX_HELD]
        return [(number, rates.get(number, 0.0)) for number in held]

    def _since_when(self, reason: str) -> str:
        self._away_since = self._away_since or timezone.now()
        return f"{reason[:400].rstrip('. ')}, since {self._away_since:%Y-%m-%d %H:%M:%S} UTC."

    def _write(self, state: str, **columns: object) -> None:
        now = time.monotonic()
        rate = self._stored / max(now - self._since, 0.001)
        Ingestor.objects.update_or_create(
            name=self._name,
            defaults={
                "state": state,
                "detail": "",
                "cluster": self._cluster,
                "events_per_s": round(rate, 1),
                "seen_at": timezone.now(),
                **columns,
            },
        )
        self._stored, self._since = 0, now


class Standing(msgspec.Struct, frozen=True):
    """Where the reader stands.

    How many topics, records behind, ends by partition id that moved, and the partitions in hand.
    """

    topics: int
    lag: int
    ends: Mapping[int, int]
    held: Iterable[int] = ()
