"""What is wrong with the database, as far as its error says it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from django.db import Error

if TYPE_CHECKING:
    from collections.abc import Iterator

# disk_full in the appendix "PostgreSQL Error Codes"; SQLITE_FULL in SQLite's "Result Codes".
_DISK_FULL = "53100"


def is_full(error: Error) -> bool:
    """Tell whether the database could not write because there is no room left."""
    return any(
        getattr(cause, "sqlstate", None) == _DISK_FULL
        or getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        for cause in _causes(error)
    )


def words(error: Error) -> str:
    """Return what the database said, its first line."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
