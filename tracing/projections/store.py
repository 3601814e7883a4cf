"""The write path: one batch, one transaction: records, read models, checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from tracing.domain.errors import CheckpointMovedError
from tracing.domain.record import Record
from tracing.projections import dead_letters, flows, undecodable
from tracing.projections.rows import Prepared, prepare, record_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.projections.catalogue import Catalogue

INSERT_RECORD = """
INSERT INTO tracing_record
 (id, timestamp_ms, key, value, value_length, value_sha256, headers, error)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO NOTHING
"""
_INSERT_EVENT = """
INSERT INTO tracing_event (position, record, part, flow_id, node_id, event_id, event_hash,
 causation_id, timestamp_ms, occurred_us, key, schema_version, reason, dialect, error)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_INSERT_GAP = """
INSERT INTO tracing_gap (partition_id, start, "end", noticed_at) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
_INSERT_AWAITING = """
INSERT INTO tracing_awaitingrecord (record, reference) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
_ADVANCE = """
UPDATE tracing_partition SET next_offset = %s, seen_at = %s WHERE id = %s AND next_offset = %s
"""


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one partition: its records, and the offsets before and behind them.

    `start` is the checkpoint that the reader began at; `end` the next offset to read, which may
    lie further than the last record (compaction, transaction markers). With `gap`, retention has
    removed what lies between.
    """

    partition_id: int
    start: int
    end: int
    records: Sequence[Record]
    gap: bool = False


def store(slices: Sequence[Slice], catalogue: Catalogue) -> int:
    """Store a batch and return the log's position behind it.

    Costs a fixed number of statements beside one checkpoint a partition. Raises
    CheckpointMovedError, with nothing stored, when another writer was here: read the checkpoint
    again and seek. Database errors pass through, with nothing stored.
    """
    pairs = [(part.partition_id, record) for part in slices for record in part.records]
    rows = [record_row(record, partition_id) for partition_id, record in pairs]
    prepared = prepare(pairs, catalogue)
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        if rows:
            cursor.executemany(INSERT_RECORD, rows)
        position = take_positions(len(prepared))
        for part in slices:
            cursor.execute(_ADVANCE, (part.end, now, part.partition_id, part.start))
            if cursor.rowcount != 1:
                raise CheckpointMovedError
            if part.gap:
                cursor.execute(_INSERT_GAP, (part.partition_id, part.start, part.end, now))
        project(prepared, range(position - len(prepared) + 1, position + 1), catalogue)
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


def project(prepared: Sequence[Prepared], positions: Sequence[int], catalogue: Catalogue) -> None:
    """Write the read models of a batch whose events take these positions."""
    if not prepared:
        return
    flow_ids = flows.project(prepared, positions, catalogue)
    rows = [
        _event_row(item, position, flow_id)
        for item, position, flow_id in zip(prepared, positions, flow_ids, strict=True)
    ]
    awaiting = [(item.fact.record, item.event.awaits) for item in prepared if item.event.awaits]
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT_EVENT, rows)
        if awaiting:
            cursor.executemany(_INSERT_AWAITING, awaiting)
    undecodable.project(prepared)
    dead_letters.project(prepared, positions, flow_ids)


def _event_row(item: Prepared, position: int, flow_id: int) -> tuple[Any, ...]:
    event = item.event
    return (
        position,
        item.fact.record,
        event.part,
        flow_id,
        item.fact.node,
        event.event_id,
        item.event_hash,
        event.causation_id,
        event.timestamp_ms,
        event.occurred_us,
        event.key,
        event.schema_version,
        event.reason,
        event.dialect,
        event.error,
    )
