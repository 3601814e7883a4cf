"""SQLite: an index of events by their ids in two levels, and tables without a second key."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

import tracing.models.row_id


def drop_index(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Postgres keeps its own."""
    if editor.connection.vendor == "sqlite":
        editor.execute("DROP INDEX event_hash")


def keep_by_key(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Keep rows that are nothing but their key in its order, and only there."""
    if editor.connection.vendor != "sqlite":
        return
    for table in ("tracing_eventhash", "tracing_eventrun", "tracing_searchkey"):
        with editor.connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", (table,))
            (made,) = cursor.fetchone()
        editor.execute(f"ALTER TABLE {table} RENAME TO {table}_before")
        editor.execute(f"{made} WITHOUT ROWID")
        editor.execute(f"INSERT INTO {table} SELECT * FROM {table}_before ORDER BY 1, 2")
        editor.execute(f"DROP TABLE {table}_before")
    editor.execute(
        "INSERT INTO tracing_eventhash SELECT event_hash, position FROM tracing_event ORDER BY 1, 2"
    )


class Migration(migrations.Migration):
    dependencies = [("tracing", "0022_seen_schema")]
    operations = [
        migrations.CreateModel(
            name="EventHash",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "event_hash",
                        "position",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("event_hash", models.BigIntegerField()),
                ("position", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="EventRun",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run",
                        "event_hash",
                        "position",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("run", models.BigIntegerField()),
                ("event_hash", models.BigIntegerField()),
                ("position", models.BigIntegerField()),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(drop_index, migrations.RunPython.noop)],
            [migrations.RemoveIndex(model_name="event", name="event_hash")],
        ),
        migrations.AlterField(
            model_name="event",
            name="position",
            field=tracing.models.row_id.RowIdField(primary_key=True, serialize=False),
        ),
        migrations.AlterField(
            model_name="flow",
            name="id",
            field=tracing.models.row_id.RowIdField(primary_key=True, serialize=False),
        ),
        migrations.RunPython(keep_by_key, migrations.RunPython.noop),
    ]
