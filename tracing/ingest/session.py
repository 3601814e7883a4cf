"""One connection to the cluster: poll, decode, store; one batch, one transaction."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING

import msgspec
from django.db import OperationalError

from tracing.domain.errors import CheckpointMovedError
from tracing.ingest import frozen
from tracing.ingest.assignment import Assignment, SharedAssignment
from tracing.ingest.preparing import DEPTH, Preparer
from tracing.ingest.report import Reporter, Standing
from tracing.kafka.connection import PLAINTEXT, Security
from tracing.projections.catalogue import Catalogue
from tracing.projections.store import Slice, store

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from tracing.ingest.beginning import Beginning
    from tracing.ingest.selection import Start
    from tracing.ingest.watchdog import Watchdog
    from tracing.kafka.cluster import Cluster
    from tracing.kafka.consumer import Fetched, LogConsumer, Place
    from tracing.projections.store import Ready

log = logging.getLogger(__name__)

POLL_MS = 100
# From one batch to the next, if it is small. A batch has a price of its own, whatever its size: at
# 5,000 events/s a third of the ingestor's CPU, while nobody sees an event sooner for it.
APART_S = 0.04
# While a batch is being prepared there is that long to look for the next one.
AHEAD_MS = 10
COMMIT_EVERY_S = 5.0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What an ingestor is told by the settings; `shared` ones read a part of the partitions.

    With `apart`, a process of its own prepares large batches, if there are cores for it.
    """

    servers: Sequence[str]
    patterns: Sequence[str]
    start: Start
    group: str
    name: str
    discovery_ms: int
    security: Security = PLAINTEXT
    shared: bool = False
    apart: bool = False
    max_record_bytes: int


class Session:
    """One connection to the cluster, from the checkpoints on."""

    def __init__(
        self,
        options: Options,
        cluster: Cluster,
        consumer: LogConsumer,
        beginning: Beginning,
        reporter: Reporter,
        watchdog: Watchdog,
        stop: threading.Event,
    ) -> None:
        """Read nothing yet."""
        self._discovery_s = options.discovery_ms / 1000
        self._shared = options.shared
        self._consumer = consumer
        self._reporter = reporter
        self._watchdog = watchdog
        self._stop = stop
        self._catalogue = Catalogue()
        kind = SharedAssignment if options.shared else Assignment
        self._assignment = kind(
            cluster, consumer, self._catalogue, patterns=options.patterns, beginning=beginning
        )
        self._ends: dict[int, int] = {}
        self._preparer = Preparer(apart=options.apart)
        self._polled_at = 0.0
        # What is being prepared: read, but not stored.
        self._ahead: deque[Sequence[Slice]] = deque()

    def close(self) -> None:
        """Forget what was read and not stored: the checkpoint knows."""
        self._preparer.close()

    def run(self) -> None:
        """Ingest until stopped. Failures of the broker and the database pass through."""
        looked_at = committed_at = 0.0
        frozen.limit_waits()
        while not self._stop.is_set():
            now = time.monotonic()
            if now - looked_at >= self._discovery_s:
                looked_at = now
                if self._assignment.refresh():
                    log.info("Reading %s topics.", self._assignment.topics)
            self._take(self._poll())
            if self._consumer.rebalanced:
                self._finish()
            if self._assignment.settle():
                log.info("The group gave us %s partitions.", len(self._assignment.held))
                self._preparer.share_with(self._assignment.sharers)
            if self._reporter.due():
                standing = self._standing()
                if not standing.lag:
                    self._watchdog.alive()
                self._reporter.running(standing)
            if now - committed_at >= COMMIT_EVERY_S:
                committed_at = now
                self._consumer.commit(self._not_stored())
        self._finish()
        self._consumer.commit({})

    def _poll(self) -> list[Fetched]:
        """Read what is new; with nothing in hand a client that shares must poll all the same."""
        if self._assignment.held or self._shared:
            if not self._ahead:
                self._stop.wait(max(0.0, self._polled_at + APART_S - time.monotonic()))
            fetched = self._consumer.poll(AHEAD_MS if self._ahead else POLL_MS)
            self._polled_at = time.monotonic()
            return fetched
        self._stop.wait(POLL_MS / 1000)
        return []

    def _take(self, fetched: Sequence[Fetched]) -> None:
        """Store what was read, a large batch while others are prepared; leave none waiting."""
        slices = [self._slice(part) for part in fetched]
        if self._preparer.takes(slices):
            if len(self._ahead) < DEPTH:
                self._preparer.give(slices)
                self._ahead.append(slices)
            else:
                self._store_first(slices)
        elif slices:
            self._finish()
            self._store(slices)
        elif self._ahead and self._preparer.answered():
            self._store_first()

    def _store_first(self, following: Sequence[Slice] = ()) -> None:
        """Store the batch that was handed over first; hand over the one that follows, if any."""
        first = self._ahead.popleft()
        ready = self._preparer.result(following)
        if following:
            self._ahead.append(following)
        self._store(first, ready)

    def _slice(self, part: Fetched) -> Slice:
        """Return what is stored of a partition, and move on behind it."""
        held = self._assignment.held[part.place]
        start, held.position = held.position, part.end
        return Slice(
            partition_id=held.partition_id,
            start=start,
            end=part.end,
            records=part.records,
            stretches=part.stretches,
            gap=part.gap,
        )

    def _finish(self) -> None:
        """Store what is being prepared."""
        while self._ahead:
            self._store_first()

    def _store(self, slices: Sequence[Slice], ready: Ready | None = None) -> None:
        """Store a batch; where another writer was here, go to the checkpoint."""
        try:
            self._write(slices, ready)
        except CheckpointMovedError as error:
            log.warning("%s Going on from its checkpoint.", error)
            while self._ahead:
                self._ahead.popleft()
                self._preparer.result()
            self._assignment.restore()
            return
        self._watchdog.alive()
        for part in slices:
            self._reporter.count(part.partition_id, len(part), part.newest_ms)

    def _write(self, slices: Sequence[Slice], ready: Ready | None) -> None:
        """Store a batch, as soon as no other writer holds us up; a frozen one is ended."""
        while True:
            try:
                store(slices, self._catalogue, ready)
            except OperationalError as error:
                if not frozen.was_held_up(error) or self._stop.is_set():
                    raise
                self._watchdog.alive()
                frozen.end_frozen()
            else:
                return

    def _not_stored(self) -> dict[Place, int]:
        """Return where what was read and not stored begins."""
        begins: dict[int, int] = {}
        for slices in self._ahead:
            for part in slices:
                begins.setdefault(part.partition_id, part.start)
        return {
            place: begins[held.partition_id]
            for place, held in self._assignment.held.items()
            if held.partition_id in begins
        }

    def _standing(self) -> Standing:
        """Return how far behind the end each partition is, as the last fetches told."""
        lag = sum(part.end - part.start for slices in self._ahead for part in slices)
        moved: dict[int, int] = {}
        for place, end in self._consumer.highwater().items():
            held = self._assignment.held.get(place)
            if held is None:
                continue
            lag += max(end - held.position, 0)
            if self._ends.get(held.partition_id) != end:
                moved[held.partition_id] = self._ends[held.partition_id] = end
        held_ids = [held.partition_id for held in self._assignment.held.values()]
        return Standing(self._assignment.topics, lag, moved, held_ids)
