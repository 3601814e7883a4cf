"""Which versions of an event type are on the wire, by whom: counted where they are stored.

Every record that could be decoded counts, copies and retries too: it was written by somebody. Times
are Kafka's, in intervals of ten minutes, so that a sum is all that there is to keep.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING

from django.db import connection

from tracing.codec.formats import framing
from tracing.domain.text import hash64

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracing.domain.record import Record
    from tracing.projections.event_rows import Row

INTERVAL_MS = 10 * 60 * 1_000
# (node, version, schema, number of the interval)
Key = tuple[int, str, str, int]

_SEEN = """
INSERT INTO tracing_seenversion (id, node_id, version, schema, records, first_ms, last_ms)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET records = tracing_seenversion.records + excluded.records,
first_ms = CASE WHEN excluded.first_ms < tracing_seenversion.first_ms
    THEN excluded.first_ms ELSE tracing_seenversion.first_ms END,
last_ms = CASE WHEN excluded.last_ms > tracing_seenversion.last_ms
    THEN excluded.last_ms ELSE tracing_seenversion.last_ms END
"""
_INTERVAL = """
INSERT INTO tracing_seeninterval (seen_id, start_ms, records) VALUES (%s, %s, %s)
ON CONFLICT (seen_id, start_ms) DO UPDATE SET
records = tracing_seeninterval.records + excluded.records
"""
_LESS_INTERVAL = """
UPDATE tracing_seeninterval SET records = records - %s WHERE seen_id = %s AND start_ms = %s
"""
_NO_INTERVAL = """
DELETE FROM tracing_seeninterval WHERE seen_id = %s AND start_ms = %s AND records <= 0
"""
_LESS_SEEN = """
UPDATE tracing_seenversion SET records = records - %s,
first_ms = COALESCE((SELECT MIN(start_ms) FROM tracing_seeninterval WHERE seen_id = id), 0),
last_ms = COALESCE((SELECT MAX(start_ms) FROM tracing_seeninterval WHERE seen_id = id), 0)
WHERE id = %s
"""
_NOT_SEEN = "DELETE FROM tracing_seenversion WHERE id = %s AND records <= 0"


@functools.lru_cache(maxsize=10_000)
def seen_id(node: int, version: str, schema: str) -> int:
    """Return the id of a version's counter."""
    return hash64(f"{node}\n{schema}\n{version}")


def schema_of(record: Record) -> str:
    """Return the id of the schema that a decoded record's frame names, '' without one."""
    framed = framing.find(record)
    return framed.ref.label if framed else ""


def project(counts: Sequence[tuple[Key, int]]) -> None:
    """Count the versions of a batch. Two statements; no state, so that it may run twice."""
    if not counts:
        return
    seen: dict[int, tuple[int, str, str, int, int, int]] = {}
    intervals = []
    for (node, version, schema, interval), records in counts:
        number, start = seen_id(node, version, schema), interval * INTERVAL_MS
        intervals.append((number, start, records))
        _, _, _, before, first, last = seen.get(number, (0, "", "", 0, start, start))
        whole = records + before
        seen[number] = (node, version, schema, whole, min(first, start), max(last, start))
    with connection.cursor() as cursor:
        cursor.executemany(_SEEN, [(number, *row) for number, row in sorted(seen.items())])
        cursor.executemany(_INTERVAL, sorted(intervals))


def withdraw(events: Iterable[Row], schemas: dict[int, str]) -> None:
    """Count these events no longer; `schemas` has their records' by number. Five statements."""
    counts: Counter[tuple[int, int]] = Counter()
    for row in events:
        if row.error is None:
            number = seen_id(row.node_id, row.schema_version or "", schemas.get(row.record, ""))
            counts[number, row.timestamp_ms // INTERVAL_MS * INTERVAL_MS] += 1
    wholes: Counter[int] = Counter()
    for (number, _), records in counts.items():
        wholes[number] += records
    places = sorted(counts)
    numbers = sorted(wholes)
    with connection.cursor() as cursor:
        cursor.executemany(_LESS_INTERVAL, [(counts[place], *place) for place in places])
        cursor.executemany(_NO_INTERVAL, places)
        cursor.executemany(_LESS_SEEN, [(wholes[number], number) for number in numbers])
        cursor.executemany(_NOT_SEEN, [(number,) for number in numbers])
