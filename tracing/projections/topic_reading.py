"""What is known of topics: how far we are, what is missing, and who reads what.

A fixed number of queries whatever is stored: catalogue rows, counters, and for each partition
the first record of its range in the log.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec
from django.db.models import Count, F, Max, Sum

from tracing.models import (
    Gap,
    Ingestor,
    Partition,
    Source,
    TopicFacts,
    UndecodableReason,
)
from tracing.projections import record_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# An ingestor writes its row once a second; one that was silent for this long is gone.
STALE_AFTER_S = 10
MAX_TOPICS = 300
MAX_PARTITIONS = 3_000
MAX_INGESTORS = 50


class PartitionLine(msgspec.Struct, frozen=True, kw_only=True):
    """A partition: `position` is the next offset we read, `end` the broker's; None is unknown.

    `state` is `running`, `waiting` (its ingestor has no broker) or `stale` (nobody reads it).
    `since_ms` is Kafka's time of the oldest record that we hold, `begin` the broker's first offset.
    """

    id: int
    number: int
    position: int | None
    end: int | None
    begin: int | None
    rate: float
    since_ms: int | None
    gaps: int
    lost: int
    undecodable: int
    state: str
    ingestor: str
    seen_at: dt.datetime | None

    @property
    def lag(self) -> int:
        """Return how many records are behind us at the broker."""
        if self.end is None or self.position is None:
            return 0
        return max(self.end - self.position, 0)


class TopicLine(msgspec.Struct, frozen=True, kw_only=True):
    """A topic as it is now: the sum of its partitions, and the broker's settings for it."""

    name: str
    source: int
    partitions: tuple[PartitionLine, ...]
    facts: TopicFacts | None
    first_seen_at: dt.datetime

    @property
    def lag(self) -> int:
        """Return the records that wait."""
        return sum(part.lag for part in self.partitions)

    @property
    def rate(self) -> float:
        """Return records a second over the last minute."""
        return sum(part.rate for part in self.partitions)

    @property
    def since_ms(self) -> int | None:
        """Return Kafka's time of the oldest record that we hold."""
        return min((p.since_ms for p in self.partitions if p.since_ms is not None), default=None)

    @property
    def gaps(self) -> int:
        """Return how many gaps there are."""
        return sum(part.gaps for part in self.partitions)

    @property
    def lost(self) -> int:
        """Return how many offsets the gaps span."""
        return sum(part.lost for part in self.partitions)

    @property
    def undecodable(self) -> int:
        """Return how many records could not be decoded."""
        return sum(part.undecodable for part in self.partitions)

    @property
    def state(self) -> str:
        """Return the worst of the partitions' states."""
        states = {part.state for part in self.partitions}
        return next((one for one in ("stale", "waiting") if one in states), "running")


class IngestorLine(msgspec.Struct, frozen=True, kw_only=True):
    """An ingestor that was seen within the last day, and what it holds: numbers by topic."""

    row: Ingestor
    state: str
    held: dict[str, tuple[int, ...]]
    partitions: int


class Topics(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the Topics page shows; `more` topics are not on it."""

    lines: tuple[TopicLine, ...]
    ingestors: tuple[IngestorLine, ...]
    more: int


def read_topics(now: dt.datetime, *, topic: str = "") -> Topics:
    """Return all topics by name, each as it exists now, or the one that is asked for."""
    chosen = Source.objects.values("topic").annotate(newest=Max("id")).order_by("topic")
    if topic:
        chosen = chosen.filter(topic=topic)
    total = chosen.count()
    sources = list(
        Source.objects.filter(id__in=[row["newest"] for row in chosen[:MAX_TOPICS]])
        .select_related("topicfacts")
        .order_by("topic")
    )
    ingestors = list(
        Ingestor.objects.filter(seen_at__gt=now - dt.timedelta(days=1)).order_by("name")
    )[:MAX_INGESTORS]
    holders = _holders(ingestors, now)
    partitions = _partitions([source.id for source in sources], holders)
    lines = tuple(
        TopicLine(
            name=source.topic,
            source=source.id,
            partitions=tuple(partitions[source.id]),
            facts=getattr(source, "topicfacts", None),
            first_seen_at=source.first_seen_at,
        )
        for source in sources
    )
    return Topics(
        lines=lines,
        ingestors=tuple(_ingestor_lines(ingestors, now)),
        more=max(total - len(lines), 0),
    )


def _state(row: Ingestor, now: dt.datetime) -> str:
    if row.state == "stopped":
        return "stopped"
    if row.seen_at < now - dt.timedelta(seconds=STALE_AFTER_S):
        return "stale"
    return "running" if row.state == "running" else "waiting"


def _holders(rows: Sequence[Ingestor], now: dt.datetime) -> dict[int, tuple[str, str, float]]:
    """Return (ingestor, state, rate) by partition, of those that are alive."""
    found: dict[int, tuple[str, str, float]] = {}
    for row in rows:
        state = _state(row, now)
        if state in {"running", "waiting"}:
            rates = {number: (row.name, state, rate) for number, rate in row.held}
            found |= rates
    return found


def _partitions(
    source_ids: Sequence[int], holders: dict[int, tuple[str, str, float]]
) -> dict[int, list[PartitionLine]]:
    partitions = Partition.objects.filter(source_id__in=source_ids)
    ordered = record_log.with_beginnings(partitions).order_by("source_id", "number")
    rows = list(ordered[:MAX_PARTITIONS])
    ids = [row.id for row in rows]
    gaps = {
        row["partition_id"]: row
        for row in Gap.objects.filter(partition_id__in=ids)
        .values("partition_id")
        .annotate(count=Count("id"), lost=Sum(F("end") - F("start")))
    }
    bad: Counter[int] = Counter()
    for partition_id, records in UndecodableReason.objects.filter(partition_id__in=ids).values_list(
        "partition_id", "records"
    ):
        bad[partition_id] += records
    found: dict[int, list[PartitionLine]] = defaultdict(list)
    for row in rows:
        ingestor, state, rate = holders.get(row.id, ("", "stale", 0.0))
        gap = gaps.get(row.id, {"count": 0, "lost": 0})
        line = PartitionLine(
            id=row.id,
            number=row.number,
            position=row.next_offset,
            end=row.end_offset,
            begin=row.begin_offset,
            rate=rate,
            since_ms=record_log.begins_ms(row),
            gaps=gap["count"],
            lost=gap["lost"],
            undecodable=bad[row.id],
            state=state,
            ingestor=ingestor,
            seen_at=row.seen_at,
        )
        found[row.source_id].append(line)
    return found


def _ingestor_lines(rows: Sequence[Ingestor], now: dt.datetime) -> list[IngestorLine]:
    """Return the ingestors, the live ones first; of the ended ones only the last."""
    states = [(row, _state(row, now)) for row in rows]
    live = [pair for pair in states if pair[1] in {"running", "waiting"}]
    ended = [pair for pair in states if pair not in live]
    ended.sort(key=lambda pair: pair[0].seen_at, reverse=True)
    shown = live + (ended[:3] if live else ended[:1])
    names = _names({number for row, _ in shown for number, _rate in row.held})
    lines = []
    for row, state in shown:
        held: dict[str, list[int]] = defaultdict(list)
        for number, _rate in row.held:
            if number in names:
                held[names[number][0]].append(names[number][1])
        by_topic = {topic: tuple(sorted(held[topic])) for topic in sorted(held)}
        lines.append(IngestorLine(row=row, state=state, held=by_topic, partitions=len(row.held)))
    return lines


def _names(partition_ids: Iterable[int]) -> dict[int, tuple[str, int]]:
    rows = Partition.objects.filter(id__in=list(partition_ids)[:MAX_PARTITIONS])
    return {
        partition_id: (topic, number)
        for partition_id, topic, number in rows.values_list("id", "source__topic", "number")
    }


def earlier_of(line: TopicLine) -> int:
    """Return how many topics of this name were deleted and made anew before."""
    return Source.objects.filter(topic=line.name, id__lt=line.source).count()
