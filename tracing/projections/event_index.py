"""Where the events with an id are: an index by its hash.

Ids are random, so an index in their order is written everywhere at once: among millions of events
each new one changes a page of its own. Postgres bears that. On SQLite a large batch appends its
part in order (a run), and what runs hold is moved into the whole index in one go, many entries a
page, when there is much of it. A look-up asks the index and each run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from tracing.projections import bulk
from tracing.projections.bulk import Columns
from tracing.projections.plain_sql import among

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

# A smaller batch goes into the index itself: a look-up must not ask many runs.
LARGE = 2_000
# This many positions behind the first run's beginning, runs are moved.
MOVED_AT = 100_000
# Of events with one id so many are found. Producers that repeat an id without end exist.
MOST = 10_000

_HASHES = Columns("tracing_eventhash", (("event_hash", "int8"), ("position", "int8")))
_RUN = """
INSERT INTO tracing_eventrun (run, event_hash, position)
SELECT %s, event_hash, position FROM tracing_event WHERE position BETWEEN %s AND %s
ORDER BY event_hash, position
"""
_MOVE = """
INSERT INTO tracing_eventhash (event_hash, position)
SELECT event_hash, position FROM tracing_eventrun ORDER BY event_hash, position
"""
_REMOVE = "DELETE FROM tracing_eventhash WHERE event_hash = %s AND position = %s"
# From one run to the next by its index: their number is small, that of their rows is not.
_FIND = """
WITH RECURSIVE runs (run) AS (
    SELECT MIN(run) FROM tracing_eventrun
    UNION ALL
    SELECT (SELECT MIN(next.run) FROM tracing_eventrun next WHERE next.run > runs.run)
    FROM runs WHERE runs.run IS NOT NULL
)
SELECT position FROM tracing_eventhash WHERE {0}
UNION ALL
SELECT position FROM runs CROSS JOIN tracing_eventrun USING (run) WHERE {0}
LIMIT {1}
"""


def add(hashes: Iterable[int], positions: Sequence[int]) -> None:
    """Add events that were just written. Four statements at most; none on Postgres."""
    if connection.vendor == "postgresql":
        return
    if not isinstance(positions, range) or len(positions) < LARGE:
        bulk.insert(_HASHES, sorted(zip(hashes, positions, strict=True)))
        return
    first, last = positions[0], positions[-1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT MIN(run) FROM tracing_eventrun")
        oldest: int | None = cursor.fetchone()[0]
        if oldest is not None and first - oldest >= MOVED_AT:
            move_runs()
        cursor.execute(_RUN, (first, first, last))


def move_runs() -> None:
    """Move what runs hold into the whole index. Two statements; none on Postgres."""
    if connection.vendor == "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(_MOVE)
        cursor.execute("DELETE FROM tracing_eventrun")


def remove(events: Iterable[tuple[int, int]]) -> None:
    """Forget events that are gone, given as (hash, position). What a run holds stays there."""
    if connection.vendor == "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.executemany(_REMOVE, sorted(events))


def positions_of(hashes: Collection[int]) -> list[int]:
    """Return the positions of events whose ids have these hashes, `MOST` of them; one query.

    The full id decides, and an event may be gone since: ask for both where the event is read.
    """
    if not hashes:
        return []
    condition = among("event_hash", hashes)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            statement = f"SELECT position FROM tracing_event WHERE {condition} LIMIT {MOST}"  # noqa: S608
            cursor.execute(statement, list(hashes))
        else:
            cursor.execute(_FIND.format(condition, MOST), [*hashes, *hashes])
        return [position for (position,) in cursor.fetchall()]
