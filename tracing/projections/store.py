"""The write path: one batch, one transaction: records, read models, checkpoint."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from tracing.domain.errors import CheckpointMovedError
from tracing.domain.record import Record
from tracing.projections import bulk, dead_letters, flows, sagas, undecodable, versions
from tracing.projections.bulk import Columns
from tracing.projections.rows import Prepared, prepare, record_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.projections.catalogue import Catalogue

_RECORDS = Columns(
    "tracing_record",
    (
        ("id", "int8"),
        ("timestamp_ms", "int8"),
        ("key", "bytea"),
        ("value", "bytea"),
        ("value_length", "int8"),
        ("value_sha256", "bytea"),
        ("headers", "bytea"),
        ("error", "text"),
    ),
)
_EVENTS = Columns(
    "tracing_event",
    (
        ("position", "int8"),
        ("record", "int8"),
        ("part", "int4"),
        ("flow_id", "int8"),
        ("node_id", "int8"),
        ("event_id", "text"),
        ("event_hash", "int8"),
        ("causation_id", "text"),
        ("timestamp_ms", "int8"),
        ("occurred_us", "int8"),
        ("key", "text"),
        ("schema_version", "text"),
        ("reason", "text"),
        ("dialect", "text"),
        ("error", "text"),
    ),
)
_INSERT_GAP = """
INSERT INTO tracing_gap (partition_id, start, "end", noticed_at) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
_AWAITING = Columns("tracing_awaitingrecord", (("record", "int8"), ("reference", "text")))
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


def store(
    slices: Sequence[Slice], catalogue: Catalogue, prepared: Sequence[Prepared] | None = None
) -> int:
    """Store a batch and return the log's position behind it.

    `prepared` is what `prepare` made of its records, if that is done already. Costs a fixed number
    of statements beside one checkpoint a partition. Raises CheckpointMovedError, with nothing
    stored, when another writer was here: read the checkpoint again and seek. Database errors pass
    through, with nothing stored.
    """
    pairs = [(part.partition_id, record) for part in slices for record in part.records]
    # In the order of their ids: two writers of the same records wait, but never for each other.
    rows = [record_row(record, partition_id) for partition_id, record in pairs]
    rows.sort(key=itemgetter(0))
    if prepared is None:
        prepared = prepare(pairs, catalogue)
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        bulk.insert_missing(_RECORDS, rows)
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
    bulk.prefer_indexes()
    flow_ids = flows.project(prepared, positions, catalogue)
    rows = [
        _event_row(item, position, flow_id)
        for item, position, flow_id in zip(prepared, positions, flow_ids, strict=True)
    ]
    awaiting = [(item.fact.record, item.event.awaits) for item in prepared if item.event.awaits]
    bulk.insert(_EVENTS, rows)
    bulk.insert_missing(_AWAITING, awaiting)
    undecodable.project(prepared)
    dead_letters.project(prepared, positions, flow_ids)
    sagas.project(prepared, positions, flow_ids, catalogue)
    versions.project(prepared)


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
