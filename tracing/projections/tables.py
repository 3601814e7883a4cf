"""The read models' tables: those that pages read, and the next ones while a rebuild fills them."""

from __future__ import annotations

import contextlib
import functools
import re
import secrets
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, connection, transaction

from tracing.domain.errors import EventvizError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# All that is derived from the log, and nothing else: a new read model is one line here.
READ_MODELS = (
    "event",
    "eventblock",
    "eventindex",
    "flow",
    "flowcount",
    "searchkey",
    "awaitingrecord",
    "undecodable",
    "undecodablereason",
    "deadletter",
    "deadlettergroup",
    "deadletterhour",
    "retrycopy",
    "retriedrecord",
    "seenversion",
    "seeninterval",
    "sagainstance",
    "sagaflow",
    "sagaflag",
    "sagacount",
    "sagaflagcount",
    "sagaduration",
)

_NAME = re.compile(rf"\btracing_(?:{'|'.join(READ_MODELS)})\b")
_INDEX = re.compile(r'^(CREATE (?:UNIQUE )?INDEX )"?(\w+?)(?:_g[0-9a-f]{8})?"? ON ')
# Below Postgres' wait before it looks for deadlocks: a page that reads two tables is never the one
# that is broken off, the renaming gives way and tries again.
_LOCK_WAIT_MS = 300
_TRIES = 5
_writes_next: ContextVar[bool] = ContextVar("writes_next", default=False)


class TablesInUseError(EventvizError):
    """The rebuilt tables cannot take the old ones' place: somebody reads those without end."""


@contextlib.contextmanager
def next_ones() -> Iterator[None]:
    """Let every statement of this thread mean the next tables where it names a read model.

    Holds for raw SQL and for the ORM, through Django's cursor. What goes past that cursor (COPY)
    asks `named`.
    """
    token = _writes_next.set(True)
    try:
        with connection.execute_wrapper(_rewrite):
            yield
    finally:
        _writes_next.reset(token)


def named(statement: str) -> str:
    """Return a statement with the names of the tables that are written at this moment."""
    return _next(statement) if _writes_next.get() else statement


def _rewrite(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
    return execute(_next(sql), *arguments)


@functools.lru_cache(maxsize=512)
def _next(statement: str) -> str:
    return _NAME.sub(lambda match: f"{match[0]}_next", statement)


def make_next() -> None:
    """Make the next tables, empty and with all indexes, in place of what a broken rebuild left.

    They are copied from what the database itself has, not from the models: a table may have been
    made by hand in a migration. SQLite cannot rename an index, and needs its name for the table
    that still stands: it gets a suffix that no other rebuild has had.
    """
    drop_next()
    suffix = f"_g{secrets.token_hex(4)}"
    with connection.cursor() as cursor:
        for table in READ_MODELS:
            if connection.vendor == "postgresql":
                name = f"tracing_{table}"
                cursor.execute(f"CREATE TABLE {name}_next (LIKE {name} INCLUDING ALL)")
                continue
            cursor.execute(
                "SELECT sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL"
                " ORDER BY type = 'index'",
                (f"tracing_{table}",),
            )
            for (statement,) in cursor.fetchall():
                cursor.execute(_next(_INDEX.sub(rf'\1"\2{suffix}" ON ', statement)))


def drop_next() -> None:
    """Remove tables that nobody reads: next ones, and old ones that were exchanged."""
    with connection.cursor() as cursor:
        for table in READ_MODELS:
            cursor.execute(f"DROP TABLE IF EXISTS tracing_{table}_next")
            cursor.execute(f"DROP TABLE IF EXISTS tracing_{table}_old")


def exchange() -> None:
    """Let the next tables take the place of the present ones, which stay as old ones.

    Within the caller's transaction. Raises TablesInUseError when readers do not let go for long.
    """
    for _ in range(_TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                _rename(cursor)
        except OperationalError as error:
            if connection.vendor != "postgresql" or "lock" not in str(error):
                raise
            continue
        return
    raise TablesInUseError


def _rename(cursor: Any) -> None:
    if connection.vendor == "postgresql":
        cursor.execute(f"SET LOCAL lock_timeout = {_LOCK_WAIT_MS}")
        names = ", ".join(f"tracing_{table}" for table in READ_MODELS)
        cursor.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
        cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    for table in READ_MODELS:
        cursor.execute(f"ALTER TABLE tracing_{table} RENAME TO tracing_{table}_old")
        cursor.execute(f"ALTER TABLE tracing_{table}_next RENAME TO tracing_{table}")


def refresh_statistics() -> None:
    """Let Postgres count what is in the next tables: it plans by that from the first query on."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table in READ_MODELS:
                cursor.execute(f"ANALYZE tracing_{table}_next")
