"""What is missing of one topic: offsets that we never read, records that could not be decoded."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec

from tracing.models import Gap, Undecodable, UndecodableReason
from tracing.models.source import coordinates_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.projections.topic_reading import TopicLine

MAX_GAPS = 50
MAX_REASONS = 50
# Of each reason: the newest are reached by a link each.
MAX_RECORDS = 5


class GapLine(msgspec.Struct, frozen=True):
    """Offsets that were gone before we could read them, `end` not included."""

    number: int
    start: int
    end: int
    noticed_at: dt.datetime


class ReasonLine(msgspec.Struct, frozen=True):
    """Why records of a topic could not be decoded, how many, and the newest as coordinates."""

    reason: str
    records: int
    newest: tuple[str, ...]


def gaps_of(line: TopicLine) -> list[GapLine]:
    """Return the newest gaps of a topic."""
    numbers = {part.id: part.number for part in line.partitions}
    rows = Gap.objects.filter(partition_id__in=numbers).order_by("-noticed_at", "-id")[:MAX_GAPS]
    return [GapLine(numbers[row.partition_id], row.start, row.end, row.noticed_at) for row in rows]


def reasons_of(line: TopicLine) -> list[ReasonLine]:
    """Return why records of a topic could not be decoded, most frequent first.

    Costs a query and one a reason.
    """
    numbers = {part.id: part.number for part in line.partitions}
    records: Counter[str] = Counter()
    ids: dict[str, list[int]] = defaultdict(list)
    for row in UndecodableReason.objects.filter(partition_id__in=numbers):
        records[row.reason] += row.records
        ids[row.reason].append(row.id)
    return [
        ReasonLine(reason, count, tuple(_newest(ids[reason], line.name, numbers)))
        for reason, count in records.most_common(MAX_REASONS)
        if count > 0
    ]


def _newest(reason_ids: Sequence[int], topic: str, numbers: dict[int, int]) -> list[str]:
    rows = Undecodable.objects.filter(reason_id__in=reason_ids).order_by("-record")
    found = []
    for record in rows.values_list("record", flat=True)[:MAX_RECORDS]:
        partition_id, offset = coordinates_of(record)
        found.append(f"{topic}[{numbers[partition_id]}]@{offset}")
    return found
