"""What the orchestrator knows beyond a crash: its sagas, and what it has still to say."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tracing.demo.orchestrator.plan import ENDED, Saga, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tracing.demo.publishing import Message
    from tracing.domain.record import Header

# A saga that nothing was heard of for a day is forgotten: the demo's file must not grow for ever.
REMEMBERED_S: Final = 86_400
_FORGET_EVERY: Final = 500
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS saga (id TEXT PRIMARY KEY, state TEXT, undo BLOB, payload BLOB,
 at REAL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS saga_at ON saga (at);
CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT, key BLOB,
 value BLOB, headers BLOB);
"""
_headers: Final = msgspec.msgpack.Decoder(tuple[tuple[str, bytes | None], ...])
_commands: Final = msgspec.msgpack.Decoder(tuple[str, ...])


class Outgoing(NamedTuple):
    """A message that waits to be sent, byte for byte as it was composed."""

    number: int
    topic: str
    key: bytes
    value: bytes
    headers: tuple[Header, ...]


class Journal:
    """One small SQLite file.

    A saga's change and the message that follows from it are one transaction (an outbox): after
    kill -9 either both are there, or neither and the reply is read again.
    """

    def __init__(self, path: Path | str, *, now: Callable[[], float] = time.time) -> None:
        """Open the file, or make it; `:memory:` lasts as long as the object. `now` is in s."""
        self._now = now
        self._written = 0
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=10, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_TABLES)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is written in the `with`, or nothing of it."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def saga(self, saga_id: str) -> Saga | None:
        """Return a saga."""
        with self._lock:
            row = self._db.execute(
                "SELECT state, undo, payload FROM saga WHERE id = ?", (saga_id,)
            ).fetchone()
        if row is None:
            return None
        return Saga(
            state=State(row[0]), undo=_commands.decode(row[1]), payload=msgspec.json.decode(row[2])
        )

    def keep(self, saga_id: str, saga: Saga) -> None:
        """Write a saga; from time to time forget old ones."""
        undo, payload = msgspec.msgpack.encode(saga.undo), msgspec.json.encode(saga.payload)
        self._db.execute(
            "INSERT OR REPLACE INTO saga VALUES (?, ?, ?, ?, ?)",
            (saga_id, saga.state.value, undo, payload, self._now()),
        )
        self._written += 1
        if self._written % _FORGET_EVERY == 0:
            self._db.execute("DELETE FROM saga WHERE at <= ?", (self._now() - REMEMBERED_S,))

    def put(self, message: Message) -> None:
        """Write a message that is to be sent."""
        self._db.execute(
            "INSERT INTO outbox (topic, key, value, headers) VALUES (?, ?, ?, ?)",
            (message.topic, message.key, message.value, msgspec.msgpack.encode(message.headers)),
        )

    def outgoing(self) -> list[Outgoing]:
        """Return what is to be sent, oldest first."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM outbox ORDER BY number").fetchall()
        return [
            Outgoing(number, topic, key, value, _headers.decode(headers))
            for number, topic, key, value, headers in rows
        ]

    def sent(self, number: int) -> None:
        """Forget a message that is in Kafka."""
        with self._lock:
            self._db.execute("DELETE FROM outbox WHERE number = ?", (number,))

    def unfinished(self) -> int:
        """Return how many sagas have not ended."""
        with self._lock:
            [(count,)] = self._db.execute(
                "SELECT COUNT(*) FROM saga WHERE state NOT IN (?, ?)", ENDED
            )
        return int(count)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
