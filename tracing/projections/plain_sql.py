"""Reading with statements of our own, where many ask: pages of a flow, searches, live pages.

Writing a statement takes the ORM some ten times as long as the database takes to answer it by
key. Columns are named after those of the models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

Value = TypeVar("Value", int, str)
# Of large values (blocks of records) this many are in memory at a time, too.
_CHUNK = 500


def select(
    columns: Sequence[str], source: str, condition: str, parameters: Iterable[Any]
) -> list[tuple[Any, ...]]:
    """Return these columns of all rows that the condition finds; it bounds and orders them.

    Nothing but our own words stands in the statement: values are parameters.
    """
    statement = f"SELECT {', '.join(columns)} FROM {source} WHERE {condition}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def among(column: str, values: Collection[Any]) -> str:
    """Return the condition that a column has one of these values, which are its parameters."""
    return f"{column} IN ({', '.join(['%s'] * len(values))})" if values else "1 = 0"


def chunks(values: Collection[Value]) -> Iterator[list[Value]]:
    """Yield values in their order, as many at a time as parameters of one statement."""
    every = sorted(values)
    for start in range(0, len(every), _CHUNK):
        yield every[start : start + _CHUNK]
