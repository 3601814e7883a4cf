"""Dead letters, copies that wait and records sent again: the read models of what failed.

Written in the batch's transaction. Groups are counters and minima and maxima, so the order of
arrival cannot show.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import connection
from django.db.models import Count, F, Max, Min, Q

from tracing.domain.failure import Attempt, Failure, Fingerprint, Tier, fingerprint
from tracing.domain.text import MAX_LABEL, clean, hash64
from tracing.domain.topology import kind_of
from tracing.models import (
    DeadLetter,
    DeadLetterGroup,
    DeadLetterHour,
    Discard,
    GroupDecision,
    RetriedRecord,
    RetryCopy,
    RetryItem,
    RetryTally,
)
from tracing.projections.settings import current_rules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tracing.domain.event import Event
    from tracing.projections.rows import Prepared

    Row = tuple[Any, ...]

HOUR_MS = 3_600_000
_IN = 500
_KEY = operator.itemgetter(0, 1)
_DEAD_LETTER = """
INSERT INTO tracing_deadletter (record, group_id, flow_id, event_id, event_hash, node_id,
 timestamp_ms, position, message, attempts, source_topic, source_partition, source_offset, retry_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_GROUP = """
INSERT INTO tracing_deadlettergroup (id, fingerprint, source_topic, consumer, exception, message,
 event_type, count, failed_again, first_ms, last_ms)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET count = tracing_deadlettergroup.count + excluded.count,
 failed_again = tracing_deadlettergroup.failed_again + excluded.failed_again,
 first_ms = CASE WHEN excluded.first_ms < tracing_deadlettergroup.first_ms
  THEN excluded.first_ms ELSE tracing_deadlettergroup.first_ms END,
 last_ms = CASE WHEN excluded.last_ms > tracing_deadlettergroup.last_ms
  THEN excluded.last_ms ELSE tracing_deadlettergroup.last_ms END
"""
_HOUR = """
INSERT INTO tracing_deadletterhour (group_id, hour, n) VALUES (%s, %s, %s)
ON CONFLICT (group_id, hour) DO UPDATE SET n = tracing_deadletterhour.n + excluded.n
"""
_COPY = """
INSERT INTO tracing_retrycopy (record, flow_id, event_id, event_hash, node_id, timestamp_ms,
 position, source_topic, consumer, exception, message, attempt, max_attempts, due_ms)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_RETRIED = """
INSERT INTO tracing_retriedrecord (retry_hash, record) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""


def project(
    prepared: Sequence[Prepared], positions: Sequence[int], flow_ids: Sequence[int]
) -> None:
    """Write what a batch says of failures; without any attempt in it, no statement."""
    dead: list[Row] = []
    waiting: list[Row] = []
    retried: list[Row] = []
    sums: dict[Fingerprint, list[tuple[int, bool]]] = defaultdict(list)
    for item, position, flow_id in zip(prepared, positions, flow_ids, strict=True):
        attempt = item.event.attempt
        # A record that holds several events fails as a whole: its first event stands for it.
        if attempt is None or item.event.part:
            continue
        if attempt.retry_id is not None:
            retried.append((hash64(attempt.retry_id), item.fact.record))
        if attempt.failure is None:
            continue
        event = item.event
        common = (flow_id, event.event_id, hash64(event.event_id), item.fact.node)
        when = (event.timestamp_ms, position)
        if attempt.tier is Tier.DEAD:
            group = fingerprint_of(event, attempt.failure)
            sums[group].append((event.timestamp_ms, attempt.retry_id is not None))
            dead.append((item.fact.record, group.group_id, *common, *when, *_dead(attempt)))
        else:
            waiting.append((item.fact.record, *common, *when, *_waiting(attempt)))
    statements: list[tuple[str, list[Row]]] = [
        (_DEAD_LETTER, dead),
        (_COPY, waiting),
        (_RETRIED, retried),
        *_sums(sums),
    ]
    with connection.cursor() as cursor:
        for statement, rows in statements:
            if rows:
                rows.sort(key=_KEY)
                cursor.executemany(statement, rows)


def fingerprint_of(event: Event, failure: Failure) -> Fingerprint:
    """Return what a dead letter is grouped by."""
    kind = kind_of(event.topic, current_rules().topics)
    return fingerprint(failure, topic=event.topic, of=kind.of, event_type=event.type)


def _dead(attempt: Attempt) -> Row:
    failure = attempt.failure
    assert failure is not None
    return (
        clean(" ".join((failure.message or "").split()), MAX_LABEL),
        _small(attempt.attempt),
        failure.source_topic or "",
        _small(failure.source_partition),
        failure.source_offset,
        attempt.retry_id,
    )


def _waiting(attempt: Attempt) -> Row:
    failure = attempt.failure
    assert failure is not None
    return (
        failure.source_topic or "",
        failure.consumer or "",
        failure.exception or "",
        clean(" ".join((failure.message or "").split()), MAX_LABEL),
        _small(attempt.attempt),
        _small(failure.max_attempts),
        failure.due_ms,
    )


def _small(number: int | None) -> int | None:
    """Return a number that a 32-bit column takes."""
    return number if number is not None and number < 2**31 else None


def _sums(
    found: dict[Fingerprint, list[tuple[int, bool]]],
) -> Iterator[tuple[str, list[Row]]]:
    groups: list[Row] = []
    hours: list[Row] = []
    for group, members in found.items():
        times = [timestamp_ms for timestamp_ms, _ in members]
        again = sum(retried for _, retried in members)
        counts = (len(members) - again, again, min(times), max(times))
        groups.append((group.group_id, group.text, *msgspec.structs.astuple(group), *counts))
        by_hour: dict[int, int] = defaultdict(int)
        for timestamp_ms in times:
            by_hour[timestamp_ms // HOUR_MS] += 1
        hours.extend((group.group_id, hour, n) for hour, n in by_hour.items())
    yield _GROUP, groups
    yield _HOUR, hours


def tiers(records: Collection[int]) -> dict[int, int]:
    """Return the tier of those records that are attempts. Three look-ups by key."""
    found: dict[int, int] = {}
    for tier, model in ((1, RetriedRecord), (2, RetryCopy), (3, DeadLetter)):
        rows = model.objects.filter(record__in=records).values_list("record", flat=True)
        found.update(dict.fromkeys(rows, tier))
    return found


def withdraw(records: Sequence[int]) -> None:
    """Take records out of these read models: they are pruned, or were decoded after all.

    Counts again the groups that lose some: a minimum cannot be taken back.
    """
    groups: set[int] = set()
    for start in range(0, len(records), _IN):
        chunk = records[start : start + _IN]
        lost = DeadLetter.objects.filter(record__in=chunk)
        groups.update(lost.values_list("group_id", flat=True))
        lost.delete()
        RetryCopy.objects.filter(record__in=chunk).delete()
        RetriedRecord.objects.filter(record__in=chunk).delete()
    for group in sorted(groups):
        _count_again(group)


def _count_again(group_id: int) -> None:
    members = DeadLetter.objects.filter(group_id=group_id)
    first = Q(retry_id=None)
    said = members.aggregate(
        count=Count("record", filter=first),
        failed_again=Count("record", filter=~first),
        first_ms=Min("timestamp_ms"),
        last_ms=Max("timestamp_ms"),
    )
    DeadLetterHour.objects.filter(group_id=group_id).delete()
    if said["first_ms"] is None:
        DeadLetterGroup.objects.filter(id=group_id).delete()
        return
    DeadLetterGroup.objects.filter(id=group_id).update(**said)
    by_hour: dict[int, int] = defaultdict(int)
    for timestamp_ms in members.values_list("timestamp_ms", flat=True).iterator():
        by_hour[timestamp_ms // HOUR_MS] += 1
    with connection.cursor() as cursor:
        cursor.executemany(_HOUR, [(group_id, hour, n) for hour, n in sorted(by_hour.items())])


def leave_tallies(records: list[int]) -> None:
    """Count what goes out of the tallies too, or it would hide what is still open."""
    gone: dict[int, int] = defaultdict(int)
    for start in range(0, len(records), _IN):
        chunk = records[start : start + _IN]
        done = RetryItem.objects.filter(record__in=chunk, state="processed")
        aside = Discard.objects.filter(record__in=chunk, restored_at=None)
        for rows in (done, aside):
            for group_id in rows.values_list("group_id", flat=True):
                if group_id is not None:
                    gone[group_id] += 1
    for group_id, n in sorted(gone.items()):
        RetryTally.objects.filter(group_id=group_id).update(pruned=F("pruned") + n)


def open_flows(flow_ids: Collection[int]) -> set[int]:
    """Return which of these flows have a dead letter that is still somebody's work.

    Closed is what stands in a resolved or ignored group and came before that was decided, what a
    retry brought to its end, and what somebody put aside. Four queries by index.
    """
    members = list(
        DeadLetter.objects.filter(flow_id__in=flow_ids).values_list(
            "flow_id", "group_id", "timestamp_ms", "record"
        )
    )
    closed = {
        decision.group_id: decision
        for decision in GroupDecision.objects.filter(
            group_id__in={group_id for _, group_id, _, _ in members},
            state__in=(GroupDecision.State.RESOLVED, GroupDecision.State.IGNORED),
        )
    }
    settled = _settled([record for _, _, _, record in members])
    return {
        flow_id
        for flow_id, group_id, timestamp_ms, record in members
        if record not in settled
        and (
            (decision := closed.get(group_id)) is None
            or (
                decision.state == GroupDecision.State.RESOLVED
                and timestamp_ms > decision.last_ms_then
            )
        )
    }


def _settled(records: list[int]) -> set[int]:
    """Return the dead letters that recovered or are put aside, as people's tables say.

    One that failed again has a dead letter of its own, which stays open.
    """
    found: set[int] = set()
    for start in range(0, len(records), _IN):
        chunk = records[start : start + _IN]
        items = RetryItem.objects.filter(record__in=chunk, state__in=("processed", "failed_again"))
        found.update(items.values_list("record", flat=True))
        aside = Discard.objects.filter(record__in=chunk, restored_at=None)
        found.update(aside.values_list("record", flat=True))
    return found
