"""Say that SQLite's disk is full, where SQLite itself has no room left to be told.

An empty file beside the database's: it needs no block of the disk, and its time says how fresh it
is. Postgres has room for the ingestor's row in such a moment, as its own log lies elsewhere or was
allocated before.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from datetime import datetime


def say_full() -> None:
    """Leave word for the pages; it counts for some seconds, so say it again while it holds."""
    with contextlib.suppress(OSError):
        for file in _files():
            file.touch()


def say_room() -> None:
    """Take it back."""
    with contextlib.suppress(OSError):
        for file in _files():
            file.unlink(missing_ok=True)


def is_full(since: datetime) -> bool:
    """Tell whether an ingestor has said so since then. One look at the disk, no query."""
    try:
        return any(file.stat().st_mtime >= since.timestamp() for file in _files())
    except OSError:
        return False


def _files() -> list[Path]:
    if connection.vendor != "sqlite":
        return []
    return [Path(f"{connection.settings_dict['NAME']}.full")]
