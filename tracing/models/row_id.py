"""Keys that count up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.expressions import Combinable

    # Only for the type checker is a field's class generic.
    _BigInteger = models.BigIntegerField[int | Combinable, int]
else:
    _BigInteger = models.BigIntegerField


class RowIdField(_BigInteger):
    """A 64-bit primary key that we number ourselves, in the order in which rows are written.

    SQLite keeps a table by its row id, and only a column declared as `integer` is that id:
    declared otherwise, a key costs an index of its own, written with each row and read before it
    (https://www.sqlite.org/lang_createtable.html#rowid).
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Return the column's type."""
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)
