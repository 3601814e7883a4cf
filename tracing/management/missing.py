"""A database that holds no tables of ours, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.db import DatabaseError

_SIGNS = ("no such table", "does not exist")


def missing_tables(error: DatabaseError) -> str | None:
    """Return what to do when an error says that a table is not there, else None."""
    if not any(sign in str(error) for sign in _SIGNS):
        return None
    name = settings.DATABASES["default"]["NAME"]
    return (
        f"There are no tables of eventviz in the database {name}. `manage.py migrate` makes them;"
        " EVENTVIZ_DATABASE_URL names another database (that of a demo on port 8000 is"
        " sqlite:///.demo/8000/eventviz.sqlite3)."
    )
