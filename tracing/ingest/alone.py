"""One ingestor a SQLite file: a second one could only take turns with the first to lose."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from django.db import connection
from filelock import FileLock, Timeout

from tracing.domain.errors import EventvizError

if TYPE_CHECKING:
    from collections.abc import Iterator


class AlreadyIngestingError(EventvizError):
    """Another ingestor is at work on this SQLite database; several can share a Postgres one."""


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the right to ingest into a SQLite file; on another database, nothing.

    The operating system gives it back when the process ends, however it ends. Raises
    AlreadyIngestingError at once.
    """
    if connection.vendor != "sqlite":
        yield
        return
    lock = FileLock(f"{connection.settings_dict['NAME']}.ingest.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise AlreadyIngestingError(f"{connection.settings_dict['NAME']}") from None
    try:
        yield
    finally:
        lock.release()
