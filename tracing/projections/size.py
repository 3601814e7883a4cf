"""How much room the stored data takes: of what lives, not of what a deletion left free."""

from __future__ import annotations

from django.db import connection

from tracing.projections.record_rows import BLOCK

# A row's own overhead in Postgres: its header and its place in the page.
_ROW_BYTES = 28
_POSTGRES = """
SELECT COALESCE(SUM(pg_total_relation_size(s.relid) * CASE WHEN w.width = 0 THEN 1.0 ELSE
    LEAST(1.0, s.n_live_tup * (w.width + %s) / GREATEST(pg_relation_size(s.relid), 1))
    END), 0)::bigint
FROM pg_stat_user_tables s
CROSS JOIN LATERAL (
    SELECT COALESCE(SUM(avg_width), 0) AS width FROM pg_stats p
    WHERE p.schemaname = s.schemaname AND p.tablename = s.relname
) w
WHERE s.schemaname = current_schema() AND s.relname LIKE 'tracing\\_%%'
"""


def used_bytes() -> int:
    """Return the bytes of the database that hold something.

    SQLite: exact. Postgres: an estimate from its statistics, because deleted rows give their room
    back to later ones and not to the disk.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            pages = []
            for pragma in ("page_count", "freelist_count", "page_size"):
                cursor.execute(f"PRAGMA {pragma}")
                pages.append(int(cursor.fetchone()[0]))
            return (pages[0] - pages[1]) * pages[2]
        cursor.execute(_POSTGRES, (_ROW_BYTES,))
        return int(cursor.fetchone()[0])


def record_count() -> int:
    """Return about how many records there are: blocks count as full, Postgres estimates rows."""
    return _rows("tracing_record") + BLOCK * _rows("tracing_recordblock")


def _rows(table: str) -> int:
    count = f"SELECT count(*) FROM {table}"  # noqa: S608
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(count)
        else:
            cursor.execute(
                "SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = %s"
                " AND schemaname = current_schema()",
                (table,),
            )
        found = int(cursor.fetchone()[0])
        if not found:
            # The statistics have not noticed yet: so there are few.
            cursor.execute(count)
            found = int(cursor.fetchone()[0])
        return found
