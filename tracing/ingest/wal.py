"""Who moves pages out of SQLite's write-ahead log: a thread, while the ingestor goes on storing.

Done within a commit it is an eighth of what storing costs, and the batch waits for the disk: some
300 ms every other second at 5,000 events/s, for which every live page waits too.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

# 64 MB. Nearly all of it has been moved by then: little is left for the commit that, at last, lets
# the log begin anew.
_SELDOM = 16_000
# Some megabytes at 5,000 events/s.
_EVERY_S = 0.5


@contextlib.contextmanager
def moved_beside() -> Iterator[None]:
    """Let a thread move pages meanwhile, and this connection only seldom. Nothing on Postgres."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA wal_autocheckpoint={_SELDOM}")
        # It writes much and reads little, and what it maps counts as its memory.
        cursor.execute("PRAGMA mmap_size=0")
    ended = threading.Event()
    thread = threading.Thread(target=_keep_moving, args=(ended,), name="wal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _move() -> None:
    """Move what is committed and no reader needs; waits for nobody."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _keep_moving(ended: threading.Event) -> None:
    well = True
    while not ended.wait(_EVERY_S):
        try:
            _move()
            well = True
        except (DatabaseError, InterfaceError) as error:
            # The ingestor has the same trouble, and says what it does about it.
            if well:
                log.warning("The write-ahead log grows: %s", error)
            well = False
            close_old_connections()
    connection.close()
