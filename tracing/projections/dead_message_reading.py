"""Single dead letters, and what waits in retry topics, as pages and the API read them."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from tracing.codec.failures import attempt_of
from tracing.domain.failure import Failure, Tier
from tracing.domain.text import digest16
from tracing.models import DeadLetter, Flow, Partition, RetryCopy
from tracing.models.source import coordinates_of, record_id
from tracing.projections import events, record_log
from tracing.projections.dead_letters import tiers
from tracing.projections.names import names
from tracing.projections.plain_sql import among, select
from tracing.projections.settings import current_rules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from tracing.domain.record import Record

# Copies in retry topics that are looked at, from the newest on, to find those that still wait.
MAX_TESTED = 1_000
MAX_ATTEMPTS = 50
_MAX_EFFECTS = 20_000
# Copies that are asked for at once: all that their flows remember is read.
_CHUNK = 100


class DeadLine(msgspec.Struct, frozen=True, kw_only=True):
    """One dead letter in a list."""

    record: int
    coordinates: str
    event_id: str
    flow: int
    message: str
    attempts: int | None
    timestamp_ms: int
    retry_id: str | None
    source_topic: str
    source_partition: int | None
    source_offset: int | None

    @property
    def source(self) -> str:
        """Return the coordinates of the record that failed, as far as they are named."""
        if self.source_partition is None or self.source_offset is None:
            return self.source_topic
        return f"{self.source_topic}[{self.source_partition}]@{self.source_offset}"


class AttemptLine(msgspec.Struct, frozen=True, kw_only=True):
    """One record that was an attempt at an event: what it is, and where it stands."""

    record: int
    part: int
    coordinates: str
    tier: Tier
    timestamp_ms: int


class WaitingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that waits in a retry topic: attempt `attempt` of `of`, next at `due_ms`."""

    record: int
    coordinates: str
    event_id: str
    flow: int
    type: str
    source_topic: str
    consumer: str
    exception: str
    message: str
    attempt: int | None
    of: int | None
    due_ms: int | None
    timestamp_ms: int


def place_of(record: int) -> str:
    """Return the coordinates of a stored record."""
    partition_id, offset = coordinates_of(record)
    try:
        topic, number = names().place(partition_id)
    except Partition.DoesNotExist:
        return ""
    return f"{topic}[{number}]@{offset}"


def list_messages(
    group_id: int, *, before: tuple[int, int] | None = None, limit: int = 50
) -> list[DeadLine]:
    """Return a group's dead letters, the newest first, behind `before` (time, record)."""
    rows = DeadLetter.objects.filter(group_id=group_id).order_by("-timestamp_ms", "-record")
    if before is not None:
        rows = rows.filter(timestamp_ms__lte=before[0]).exclude(
            timestamp_ms=before[0], record__gte=before[1]
        )
    return [_dead(row) for row in rows[:limit]]


def read_message(group_id: int, record: int) -> DeadLine | None:
    """Return one dead letter of a group, None when it is not there."""
    row = DeadLetter.objects.filter(record=record, group_id=group_id).first()
    return _dead(row) if row else None


def _dead(row: DeadLetter) -> DeadLine:
    return DeadLine(
        record=row.record,
        coordinates=place_of(row.record),
        event_id=row.event_id,
        flow=row.flow_id,
        message=row.message,
        attempts=row.attempts,
        timestamp_ms=row.timestamp_ms,
        retry_id=row.retry_id,
        source_topic=row.source_topic,
        source_partition=row.source_partition,
        source_offset=row.source_offset,
    )


def failure_in(record: Record) -> Failure | None:
    """Return what a record says of its failure."""
    attempt = attempt_of(record, current_rules().topics)
    return attempt.failure if attempt else None


def source_record(line: DeadLine) -> int | None:
    """Return the stored record that failed, None when it is not named or not stored."""
    if line.source_partition is None or line.source_offset is None:
        return None
    partitions = Partition.objects.filter(
        source__topic=line.source_topic, number=line.source_partition
    ).order_by("-source_id")
    for partition_id in partitions.values_list("id", flat=True)[:5]:
        wanted = record_id(partition_id, line.source_offset)
        if record_log.by_id([wanted], values=False):
            return wanted
    return None


def attempts_at(event_id: str, flow: int) -> list[AttemptLine]:
    """Return the records of an event within its flow, the oldest first. A few look-ups by key."""
    rows = [row for row in events.with_ids([event_id]) if row.flow_id == flow]
    found = sorted(rows, key=attrgetter("timestamp_ms", "record"))[:MAX_ATTEMPTS]
    known = tiers([row.record for row in found])
    return [
        AttemptLine(
            record=row.record,
            part=row.part,
            coordinates=place_of(row.record),
            tier=Tier(known.get(row.record, 0)),
            timestamp_ms=row.timestamp_ms,
        )
        for row in found
    ]


def groups_of_events(event_hashes: Collection[int]) -> dict[str, tuple[int, int]]:
    """Return (group, record) of the newest dead letter of each event, by event id."""
    condition = f"{among('event_hash', event_hashes)} ORDER BY timestamp_ms LIMIT 1000"
    columns = ("event_id", "group_id", "record")
    rows = select(columns, "tracing_deadletter", condition, event_hashes)
    return {event_id: (group, record) for event_id, group, record in rows}


def list_waiting(limit: int = 100) -> tuple[list[WaitingLine], bool]:
    """Return what waits in retry topics, due first, and whether all copies were looked at.

    A copy waits no longer when a later attempt at its event, or a dead letter, is there, or when
    the event has an effect that came later.
    """
    rows = list(RetryCopy.objects.order_by("-timestamp_ms", "-record")[: MAX_TESTED + 1])
    whole = len(rows) <= MAX_TESTED
    newest: dict[int, RetryCopy] = {}
    for row in rows[:MAX_TESTED]:
        newest.setdefault(row.event_hash, row)
    over = _over(newest)
    waiting = [_waiting(row) for row in newest.values() if row.record not in over]
    waiting.sort(key=lambda line: (line.due_ms or line.timestamp_ms, line.record))
    return waiting[:limit], whole


def _over(newest: dict[int, RetryCopy]) -> set[int]:
    """Return the records of copies that wait no longer. A few queries a `_CHUNK`."""
    found: set[int] = set()
    hashes = list(newest)
    for start in range(0, len(hashes), _CHUNK):
        chunk = hashes[start : start + _CHUNK]
        dead = DeadLetter.objects.filter(event_hash__in=chunk).values_list(
            "event_hash", "timestamp_ms"
        )
        for event_hash, at_ms in dead:
            if at_ms >= newest[event_hash].timestamp_ms:
                found.add(newest[event_hash].record)
        found.update(_went_on([newest[one] for one in chunk]))
    return found


def _went_on(copies: list[RetryCopy]) -> Iterator[int]:
    """Yield the copies whose event has an effect that was written after the copy."""
    causes = {copy.event_id for copy in copies}
    digests = {digest16(cause) for cause in causes}
    rows = events.of_flows(
        {copy.flow_id for copy in copies},
        among("e.causation_id", causes),
        causes,
        fits=lambda fact: fact.cause in digests,
        limit=_MAX_EFFECTS,
    )
    effects: dict[tuple[int, str | None], int] = {}
    for row in rows:
        place = (row.flow_id, row.causation_id)
        effects[place] = max(effects.get(place, 0), row.timestamp_ms)
    for copy in copies:
        if effects.get((copy.flow_id, copy.event_id), -1) >= (copy.due_ms or copy.timestamp_ms):
            yield copy.record


def _waiting(row: RetryCopy) -> WaitingLine:
    return WaitingLine(
        record=row.record,
        coordinates=place_of(row.record),
        event_id=row.event_id,
        flow=row.flow_id,
        type=names().pair(row.node_id)[0],
        source_topic=row.source_topic,
        consumer=row.consumer,
        exception=row.exception,
        message=row.message,
        attempt=row.attempt,
        of=row.max_attempts,
        due_ms=row.due_ms,
        timestamp_ms=row.timestamp_ms,
    )


def correlations(flow_ids: Iterable[int]) -> dict[int, str]:
    """Return the correlation id of each flow. One look-up by key."""
    rows = Flow.objects.filter(id__in=set(flow_ids))
    return dict(rows.values_list("id", "correlation_id"))
