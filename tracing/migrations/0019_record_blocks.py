"""Blocks of neighbouring records, compressed."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def leave_compressed(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Keep Postgres from compressing again what is compressed."""
    if editor.connection.vendor == "postgresql":
        editor.execute("ALTER TABLE tracing_recordblock ALTER COLUMN packed SET STORAGE EXTERNAL")


class Migration(migrations.Migration):
    dependencies = [("tracing", "0018_subject_checked_at")]
    operations = [
        migrations.CreateModel(
            name="RecordBlock",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("timestamp_ms", models.BigIntegerField()),
                ("records", models.SmallIntegerField()),
                ("packed", models.BinaryField()),
            ],
        ),
        migrations.RunPython(leave_compressed, migrations.RunPython.noop),
    ]
