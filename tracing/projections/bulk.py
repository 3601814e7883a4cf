"""Many rows in a fixed number of statements: COPY on Postgres, `executemany` on SQLite.

Postgres takes rows that may be there already, or that change others, through a temporary table;
those that are new, or nearly always are, go straight to their table. All is sent in the binary
format.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import IntegrityError, connection, transaction

from tracing.projections import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = tuple[Any, ...]


class Columns(msgspec.Struct, frozen=True):
    """A table's columns as the hot path writes them: (name, Postgres type), the key first."""

    table: str
    columns: tuple[tuple[str, str], ...]

    @property
    def names(self) -> list[str]:
        """Return the columns' names."""
        return [name for name, _ in self.columns]


def insert(into: Columns, rows: Sequence[Row]) -> None:
    """Write rows that are new. Raises IntegrityError when one is not. One statement."""
    if not rows:
        return
    if connection.vendor == "postgresql":
        _copy(tables.named(into.table), into, rows)
    else:
        _execute_many(_insert_values(into), rows)


def insert_unless_there(into: Columns, rows: Sequence[Row]) -> None:
    """Write rows as `insert_missing` does, sooner where all are new. Six statements at most."""
    if rows and connection.vendor == "postgresql":
        try:
            # A savepoint: what was there already must not end the caller's transaction.
            with transaction.atomic():
                insert(into, rows)
        except IntegrityError:
            pass
        else:
            return
    insert_missing(into, rows)


def insert_missing(into: Columns, rows: Sequence[Row]) -> None:
    """Write those rows whose key is not there yet. Three statements at most."""
    if not rows:
        return
    if connection.vendor == "postgresql":
        _execute(_insert_selected(into, _copied(into, rows)))
    else:
        _execute_many(f"{_insert_values(into)} ON CONFLICT DO NOTHING", rows)


def replace(into: Columns, changing: int, rows: Sequence[Row]) -> None:
    """Change the first columns, so many, of rows that are there; the others are as they were.

    The first one of all is the key. Two statements at most.
    """
    if not rows:
        return
    if connection.vendor == "postgresql":
        # Every index has to learn of a new version anyway, and this way it is copied only once.
        key = into.names[0]
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {into.table} WHERE {key} = ANY(%s)",  # noqa: S608
                ([row[0] for row in rows],),
            )
        insert(into, rows)
    else:
        changes = [(*row[1:changing], row[0]) for row in rows]
        _execute_many(_update_values(into, changing), changes)


def prefer_indexes() -> None:
    """Let Postgres look things up by index until the transaction ends, whatever it thinks of sizes.

    Of tables that have just grown it knows little: it read all flows to find those of a batch. What
    has no index is read all the same, at a price that must not look like work for its compiler.
    """
    if connection.vendor == "postgresql":
        _execute("SET LOCAL enable_seqscan = off; SET LOCAL jit = off")


def _copied(into: Columns, rows: Sequence[Row]) -> str:
    """Copy rows into this connection's temporary table; return its name."""
    name = f"batch_{into.table.removeprefix('tracing_')}_{len(into.columns)}"
    # A commit empties it, but a transaction may hold several batches. Of a table that is empty
    # already TRUNCATE would make a new file.
    _execute(f"{_create_temporary(into, name)}; DELETE FROM {name}")  # noqa: S608
    _copy(name, into, rows)
    return name


def _copy(table: str, into: Columns, rows: Sequence[Row]) -> None:
    # Django translates what its own methods raise; a copy is the driver's.
    with connection.wrap_database_errors, connection.cursor() as cursor:
        statement = f"COPY {table} ({', '.join(into.names)}) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(statement) as copy:
            copy.set_types([kind for _, kind in into.columns])
            for row in rows:
                copy.write_row(row)


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _execute_many(statement: str, rows: Sequence[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


@functools.cache
def _create_temporary(into: Columns, name: str) -> str:
    columns = ", ".join(f"{column} {kind}" for column, kind in into.columns)
    return f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS"


@functools.cache
def _insert_values(into: Columns) -> str:
    marks = ", ".join(["%s"] * len(into.columns))
    names = ", ".join(into.names)
    return f"INSERT INTO {into.table} ({names}) VALUES ({marks})"  # noqa: S608


@functools.cache
def _insert_selected(into: Columns, source: str) -> str:
    names = ", ".join(into.names)
    selected = f"SELECT {names} FROM {source}"  # noqa: S608
    return f"INSERT INTO {into.table} ({names}) {selected} ON CONFLICT DO NOTHING"


@functools.cache
def _update_values(into: Columns, changing: int) -> str:
    key, *rest = into.names[:changing]
    changes = ", ".join(f"{name} = %s" for name in rest)
    return f"UPDATE {into.table} SET {changes} WHERE {key} = %s"  # noqa: S608
