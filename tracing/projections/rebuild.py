"""Make the read models again from the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from tracing.domain.record import Record
from tracing.models import Record as RecordRow
from tracing.models.source import coordinates_of
from tracing.projections import undecodable
from tracing.projections.catalogue import Catalogue
from tracing.projections.rows import headers_of, prepare
from tracing.projections.settings import look_for_schemas
from tracing.projections.store import project, take_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = 2_000
# The read models: all that is derived from the log.
TABLES = ("event", "flow", "flowcount", "searchkey", "awaitingrecord", *undecodable.TABLES)


def rebuild(progress: Callable[[int], None] = lambda _done: None) -> int:
    """Drop the read models and derive them again from every record; return how many there were.

    One transaction that holds the log's head: ingestion waits and pages show the old state until
    it commits. The generation changes, so that open pages send their state again. `progress` is
    told the number of records done.
    """
    catalogue = Catalogue()
    done = 0
    with transaction.atomic():
        take_positions(0)
        look_for_schemas()
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"DELETE FROM tracing_{table}")  # noqa: S608
            cursor.execute("UPDATE tracing_loghead SET generation = generation + 1 WHERE id = 1")
        for chunk in _chunks(catalogue):
            prepared = prepare(chunk, catalogue)
            project(prepared, take_positions(len(prepared)) - len(prepared), catalogue)
            done += len(chunk)
            progress(done)
    return done


def _chunks(catalogue: Catalogue) -> Iterator[list[tuple[int, Record]]]:
    after = -1
    while True:
        rows = list(RecordRow.objects.filter(id__gt=after).order_by("id")[:CHUNK])
        if not rows:
            return
        yield [(coordinates_of(row.id)[0], record_of(row, catalogue)) for row in rows]
        after = rows[-1].id


def record_of(row: RecordRow, catalogue: Catalogue) -> Record:
    """Return a stored record as it was read."""
    partition_id, offset = coordinates_of(row.id)
    topic, number = catalogue.place(partition_id)
    return Record(
        topic=topic,
        partition=number,
        offset=offset,
        timestamp_ms=row.timestamp_ms,
        key=_bytes(row.key),
        value=_bytes(row.value),
        headers=headers_of(row.headers),
        value_length=row.value_length,
        value_sha256=_bytes(row.value_sha256),
        error=row.error,
    )


def _bytes(value: bytes | memoryview | None) -> bytes | None:
    """Return bytes: Postgres hands out memoryviews."""
    return None if value is None else bytes(value)
