"""Events that the records of a block say, and a packed index of events by their ids."""

from collections import defaultdict

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

import tracing.models.row_id
from tracing.domain.text import digest16


# So many events at a time, which is what `projections.event_index` joins.
_STRETCH = 100_000


def keep_by_key(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Keep rows that are found by nothing but their key in its order, and only there."""
    if editor.connection.vendor == "sqlite":
        with editor.connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'tracing_eventindex'")
            (made,) = cursor.fetchone()
        editor.execute("DROP TABLE tracing_eventindex")
        editor.execute(f"{made} WITHOUT ROWID")


def fill_index(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Put every event into the packed index: some three seconds a million."""
    with editor.connection.cursor() as cursor:
        last = 0
        while True:
            cursor.execute(
                "SELECT position, event_id FROM tracing_event WHERE position > %s"
                f" ORDER BY position LIMIT {_STRETCH}",  # noqa: S608
                (last,),
            )
            rows = cursor.fetchall()
            if not rows:
                return
            buckets: dict[int, list[bytes]] = defaultdict(list)
            for position, event_id in rows:
                key = digest16(event_id)[:8]
                buckets[key[0] << 2 | key[1] >> 6].append(key + position.to_bytes(8, "big"))
            cursor.executemany(
                "INSERT INTO tracing_eventindex (level, bucket, position, packed)"
                " VALUES (1, %s, %s, %s)",
                [
                    (bucket, int.from_bytes(entries[0][8:], "big"), b"".join(entries))
                    for bucket, entries in sorted(buckets.items())
                ],
            )
            last = rows[-1][0]


class Migration(migrations.Migration):
    dependencies = [("tracing", "0024_blocks_in_place")]
    operations = [
        migrations.CreateModel(
            name="EventBlock",
            fields=[
                (
                    "position",
                    tracing.models.row_id.RowIdField(primary_key=True, serialize=False),
                ),
                ("block", models.BigIntegerField()),
                ("present", models.BigIntegerField()),
                ("held", models.BigIntegerField()),
            ],
            options={"indexes": [models.Index(fields=["block"], name="event_block")]},
        ),
        migrations.CreateModel(
            name="EventIndex",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "level",
                        "bucket",
                        "position",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("level", models.SmallIntegerField()),
                ("bucket", models.SmallIntegerField()),
                ("position", models.BigIntegerField()),
                ("packed", models.BinaryField()),
            ],
        ),
        migrations.RunPython(keep_by_key, migrations.RunPython.noop),
        migrations.RunPython(fill_index, migrations.RunPython.noop),
        migrations.RemoveField(model_name="event", name="event_hash"),
        migrations.DeleteModel(name="EventHash"),
        migrations.DeleteModel(name="EventRun"),
    ]
