"""Who moves pages out of SQLite's write-ahead log: the helper, while the ingestor goes on storing.

Done within a commit it is an eighth of what storing costs, and the batch waits for the disk.
"""

from __future__ import annotations

from django.db import connection

# 64 MB. The helper has moved nearly all of it by then: little is left for the commit that, at
# last, lets the log begin anew.
_SELDOM = 16_000


def leave_to_helper() -> None:
    """Let this connection do it only when the log has grown large. Nothing on Postgres."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA wal_autocheckpoint={_SELDOM}")


def empty() -> None:
    """Move what is committed and no reader needs; waits for nobody. Nothing on Postgres."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
