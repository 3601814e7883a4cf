"""Records that could not be decoded: counted by partition and reason, each to be found again."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from django.db import connection

from tracing.domain.text import clean, hash64
from tracing.models.source import coordinates_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracing.projections.rows import Prepared

_REASON = """
INSERT INTO tracing_undecodablereason (id, partition_id, reason, records) VALUES (%s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET records = tracing_undecodablereason.records + excluded.records
"""
_RECORD = """
INSERT INTO tracing_undecodable (reason_id, record) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
MAX_REASON = 200
# Numbers (byte counts, places) and quoted parts of the record differ from record to record.
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def kind_of(error: str) -> str:
    """Return an error without what differs from record to record, so that it can be counted."""
    return clean(_NUMBER.sub("…", _QUOTED.sub("…", error)), MAX_REASON)


def reason_id(partition_id: int, reason: str) -> int:
    """Return the id of a reason's counter."""
    return hash64(f"{partition_id} {reason}")


def project(prepared: Sequence[Prepared]) -> None:
    """Count those of a batch that could not be decoded; without any, no statement."""
    bad = [item for item in prepared if item.event.error is not None]
    if not bad:
        return
    counts: Counter[tuple[int, str]] = Counter()
    rows = []
    for item in bad:
        partition_id = coordinates_of(item.fact.record)[0]
        reason = kind_of(item.event.error or "")
        counts[partition_id, reason] += 1
        rows.append((reason_id(partition_id, reason), item.fact.record))
    with connection.cursor() as cursor:
        cursor.executemany(
            _REASON,
            [
                (reason_id(partition_id, reason), partition_id, reason, count)
                for (partition_id, reason), count in sorted(counts.items())
            ],
        )
        cursor.executemany(_RECORD, sorted(rows))


def withdraw(bad: Iterable[tuple[int, str]]) -> None:
    """Count (record, error) pairs no longer: they were decoded after all."""
    counts: Counter[int] = Counter()
    rows = []
    for record, error in bad:
        reason = reason_id(coordinates_of(record)[0], kind_of(error))
        counts[reason] += 1
        rows.append((reason, record))
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE tracing_undecodablereason SET records = records - %s WHERE id = %s",
            [(count, reason) for reason, count in sorted(counts.items())],
        )
        cursor.executemany(
            "DELETE FROM tracing_undecodablereason WHERE id = %s AND records <= 0",
            [(reason,) for reason in sorted(counts)],
        )
        cursor.executemany(
            "DELETE FROM tracing_undecodable WHERE reason_id = %s AND record = %s", sorted(rows)
        )
