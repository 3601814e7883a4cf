"""Whether the database has the tables that this version reads and writes."""

from __future__ import annotations

from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


def check_migrated() -> None:
    """Return when no migration is missing, or when the database is away: that is waited out.

    Raises CommandError: without its tables a process would try again for ever.
    """
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return
    if missing:
        names = ", ".join(str(migration) for migration, _ in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise CommandError(f"Run manage.py migrate first: the database lacks {names}{more}.")
