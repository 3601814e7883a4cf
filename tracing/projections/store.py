"""The write path: one batch, one transaction: records, read models, checkpoint."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from tracing.domain.errors import CheckpointMovedError
from tracing.domain.stretch import Records
from tracing.projections import (
    bulk,
    dead_letters,
    event_blocks,
    event_index,
    event_rows,
    events,
    flows,
    record_log,
    record_rows,
    sagas,
    undecodable,
    versions,
)
from tracing.projections.batch import Batch
from tracing.projections.bulk import Columns
from tracing.projections.ordinary import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.projections.catalogue import Catalogue

_INSERT_GAP = """
INSERT INTO tracing_gap (partition_id, start, "end", noticed_at) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
_AWAITING = Columns("tracing_awaitingrecord", (("record", "int8"), ("reference", "text")))
_ADVANCE = """
UPDATE tracing_partition SET next_offset = %s, seen_at = %s WHERE id = %s AND next_offset = %s
"""


class Slice(Records, frozen=True, kw_only=True, array_like=True):
    """What was read of one partition: its records, and the offsets before and behind them.

    `start` is the checkpoint that the reader began at; `end` the next offset to read, which may
    lie further than the last record (compaction, transaction markers). With `gap`, retention has
    removed what lies between.
    """

    partition_id: int
    start: int
    end: int
    gap: bool = False


class Ready(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Slices, ready to be stored: their records as they go into the log, and their events.

    Plain values throughout, so that another process may make them.
    """

    logs: list[record_rows.Log]
    batch: Batch


def ready_of(slices: Sequence[Slice], catalogue: Catalogue) -> Ready:
    """Return what is stored of these slices. Needs no lock."""
    # In the order of their ids: two writers of the same records wait, but never for each other.
    parts = sorted(slices, key=attrgetter("partition_id"))
    logs: list[record_rows.Log] = []
    reading, compress = Reading(catalogue), record_rows.compressor()
    for part in parts:
        for rows in record_rows.rows_of(part.partition_id, part.records, part.stretches):
            log = record_rows.packed(part.partition_id, part.start, part.end, rows, compress)
            reading.add(rows, [(number, length) for number, _, length, _ in log.blocks])
            logs.append(log)
    batch = reading.batch()
    flows.begin(batch.shares, catalogue)
    return Ready(logs, batch)


def store(slices: Sequence[Slice], catalogue: Catalogue, ready: Ready | None = None) -> int:
    """Store a batch and return the log's position behind it.

    `ready` is what `ready_of` made of it, if that is done already. Costs a fixed number of
    statements beside one checkpoint a partition. Raises CheckpointMovedError, with nothing
    stored, when another writer was here: read the checkpoint again and seek. Database errors pass
    through, with nothing stored.
    """
    if ready is None:
        ready = ready_of(slices, catalogue)
    batch, now = ready.batch, timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        record_log.insert(ready.logs)
        position = take_positions(len(batch))
        for part in slices:
            cursor.execute(_ADVANCE, (part.end, now, part.partition_id, part.start))
            if cursor.rowcount != 1:
                raise CheckpointMovedError
            if part.gap:
                cursor.execute(_INSERT_GAP, (part.partition_id, part.start, part.end, now))
        project(batch, range(position - len(batch) + 1, position + 1), catalogue)
    return position


def take_positions(count: int) -> int:
    """Lock the log's head to the end of the transaction; return its position behind `count` new.

    The first locking statement of every writer: positions follow the order of commits.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tracing_loghead SET position = position + %s WHERE id = 1 RETURNING position",
            (count,),
        )
        position: int = cursor.fetchone()[0]
    return position


def project(batch: Batch, positions: Sequence[int], catalogue: Catalogue) -> None:
    """Write the read models of a batch whose events take these positions."""
    if not batch.keys:
        return
    bulk.prefer_indexes()
    flow_ids, of_large = flows.project(batch, positions, catalogue)
    rows = [(positions[index], flow_ids[index], *row) for index, *row in batch.rows]
    bulk.insert(event_rows.ROWS, rows)
    blocks = [(positions[index], block, present, present) for index, block, present in batch.blocks]
    bulk.insert(event_blocks.BLOCKS, blocks)
    events.add_rows(of_large)
    event_index.add(batch.keys, positions)
    versions.project(batch.versions)
    if batch.special:
        _project_special(batch, positions, flow_ids, catalogue)


def _project_special(
    batch: Batch, positions: Sequence[int], flow_ids: Sequence[int], catalogue: Catalogue
) -> None:
    """Write what only some events are part of."""
    items = [item for _, item in batch.special]
    places = [positions[index] for index, _ in batch.special]
    flow_of = [flow_ids[index] for index, _ in batch.special]
    awaiting = [(item.fact.record, item.event.awaits) for item in items if item.event.awaits]
    bulk.insert_missing(_AWAITING, awaiting)
    undecodable.project(items)
    dead_letters.project(items, places, flow_of)
    sagas.project(items, places, flow_of, catalogue)
