"""What the shop remembers beyond a restart: which events it handled, and a switch."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# An event that comes again within a day is a duplicate.
REMEMBERED_S: Final = 86_400
_FORGET_EVERY: Final = 500
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS handled (service TEXT, event_id TEXT, at REAL,
 PRIMARY KEY (service, event_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS handled_at ON handled (at);
CREATE TABLE IF NOT EXISTS switch (name TEXT PRIMARY KEY, is_on INTEGER) WITHOUT ROWID;
"""


class Store:
    """One small SQLite file, used by all services and by the shop's page."""

    def __init__(self, path: Path | str, *, now: Callable[[], float] = time.time) -> None:
        """Open the file, or make it; `:memory:` lasts as long as the object. `now` is in s."""
        self._now = now
        self._lock = threading.Lock()
        self._marked = 0
        self._db = sqlite3.connect(path, timeout=10, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_TABLES)

    def is_handled(self, service: str, event_id: str) -> bool:
        """Tell whether a service handled an event within the last day."""
        with self._lock:
            row = self._db.execute(
                "SELECT at FROM handled WHERE service = ? AND event_id = ?", (service, event_id)
            ).fetchone()
        return row is not None and row[0] > self._now() - REMEMBERED_S

    def mark_handled(self, service: str, event_id: str) -> None:
        """Remember that a service handled an event: called once its effect is in Kafka."""
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO handled VALUES (?, ?, ?)", (service, event_id, self._now())
            )
            self._marked += 1
            if self._marked % _FORGET_EVERY == 0:
                self._db.execute("DELETE FROM handled WHERE at <= ?", (self._now() - REMEMBERED_S,))

    def is_on(self, name: str) -> bool:
        """Tell how a switch stands; one that nobody touched is on."""
        with self._lock:
            row = self._db.execute("SELECT is_on FROM switch WHERE name = ?", (name,)).fetchone()
        return row is None or bool(row[0])

    def turn(self, name: str, *, on: bool) -> None:
        """Turn a switch."""
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO switch VALUES (?, ?)", (name, on))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
