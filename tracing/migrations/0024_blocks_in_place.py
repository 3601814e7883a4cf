"""Postgres: blocks of records are compressed already, and lie where their keys are."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# A block of usual size then needs no row in a table beside, and nobody tries to compress it again.
_ROW_BYTES = 8_160


def leave_as_they_are(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Tell Postgres; what is stored already stays where it is."""
    if editor.connection.vendor == "postgresql":
        editor.execute(
            f"ALTER TABLE tracing_recordblock ALTER COLUMN packed SET STORAGE EXTERNAL,"
            f" SET (toast_tuple_target = {_ROW_BYTES})"
        )


class Migration(migrations.Migration):
    dependencies = [("tracing", "0023_event_index")]
    operations = [migrations.RunPython(leave_as_they_are, migrations.RunPython.noop, elidable=True)]
