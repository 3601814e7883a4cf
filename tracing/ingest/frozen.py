"""A writer that stands still within its transaction holds up every other one on Postgres.

A process can be frozen, or its network can swallow what it says, while the server waits for its
next word with the locks still held. Postgres' own limit (idle_in_transaction_session_timeout) does
not cover that: it is not running while a batch of statements or a COPY is on its way. So who is
held up looks for the one that stands still, and ends it.
"""

from __future__ import annotations

import logging

from django.db import OperationalError, connection

log = logging.getLogger(__name__)

# So long a statement waits for another writer before it looks for a frozen one.
LOCK_WAIT_S = 3
# So long a writer may say nothing within its transaction.
SILENCE_S = 10
# LockNotAvailable in the appendix "PostgreSQL Error Codes".
_LOCK_TIMEOUT = "55P03"
# Only writers have a transaction number. Roles may end their own sessions without further rights.
_END = """
SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND backend_xid IS NOT NULL
 AND wait_event = 'ClientRead' AND state_change < clock_timestamp() - %s * interval '1 s'
"""


def limit_waits() -> None:
    """Let no statement of this connection wait for a lock longer than `LOCK_WAIT_S` from now on."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", (f"{LOCK_WAIT_S}s",))


def was_held_up(error: OperationalError) -> bool:
    """Tell whether a statement failed because it waited too long for another writer."""
    return getattr(error.__cause__, "sqlstate", None) == _LOCK_TIMEOUT


def end_frozen() -> int:
    """End the writers that have said nothing within their transaction; return how many.

    A writer that works, such as a rebuild, is left alone. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(_END, (SILENCE_S,))
        ended = cursor.fetchall()
    for pid, _ in ended:
        log.warning("A writer stood still within its transaction (backend %s): ended it.", pid)
    return len(ended)
