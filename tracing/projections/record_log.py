"""The log's records as they are stored: single rows, and blocks of neighbours, compressed.

A block holds all records of `BLOCK` neighbouring offsets of a partition, so a record's id names
it. It is made when a batch covers these offsets, which is when much comes in: it costs a sixth of
its rows and takes a seventh of their room. What is left at a batch's edges are rows. A record is
never in both, and nobody but this module knows where it is.
`record_rows` makes rows and blocks.
"""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import zstandard
from django.db import connection
from django.db.models import BigIntegerField, F, OuterRef, Subquery
from django.db.models.functions import Cast

from tracing.domain.record import Record
from tracing.models import Record as RecordRow
from tracing.models import RecordBlock
from tracing.models.source import OFFSET_BITS, coordinates_of
from tracing.projections import bulk
from tracing.projections.bulk import Columns
from tracing.projections.plain_sql import among, select
from tracing.projections.record_rows import (
    BLOCK,
    BLOCK_BITS,
    Row,
    headers_of,
    some_unpacked,
    unpacked,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

    from tracing.models import Partition
    from tracing.projections.catalogue import Catalogue
    from tracing.projections.record_rows import Log

_ROWS = Columns(
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
_BLOCKS = Columns(
    "tracing_recordblock",
    (("id", "int8"), ("timestamp_ms", "int8"), ("records", "int2"), ("packed", "bytea")),
)


_id = attrgetter("id")


# Writing


def insert(logs: Iterable[Log]) -> None:
    """Store records; what is there already stays."""
    every = list(logs)
    bulk.insert_unless_there(_ROWS, [row for log in every for row in log.rows])
    bulk.insert_unless_there(_BLOCKS, [block for log in every for block in log.blocks])


def delete(ids: Iterable[int]) -> None:
    """Remove records. What else is in their blocks is stored as rows."""
    wanted = set(ids)
    blocks = {record >> BLOCK_BITS for record in wanted}
    stay = [
        msgspec.structs.astuple(row)
        for block in _blocks_in(blocks)
        for row in block
        if row.id not in wanted
    ]
    with connection.cursor() as cursor:
        for table, numbers in (("record", wanted), ("recordblock", blocks)):
            statement = f"DELETE FROM tracing_{table} WHERE id = %s"  # noqa: S608
            cursor.executemany(statement, [(number,) for number in sorted(numbers)])
    bulk.insert(_ROWS, stay)


# Reading


def by_id(ids: Iterable[int], *, values: bool = True) -> dict[int, Row]:
    """Return those of these records that are stored. Two queries by key at most.

    Without `values` large ones are not read: they are None, whatever their length.
    """
    wanted = set(ids)
    in_block: dict[int, list[int]] = defaultdict(list)
    for record in wanted:
        in_block[record >> BLOCK_BITS].append(record)
    # Blocks first: pruning may make rows of them meanwhile, never the other way round.
    decompress = zstandard.ZstdDecompressor().decompress
    found: dict[int, Row] = {}
    condition = among("id", in_block)
    for number, blob in select(("id", "packed"), "tracing_recordblock", condition, in_block):
        found |= some_unpacked(decompress(bytes(blob)), in_block[number])
    if rest := wanted - found.keys():
        found |= {row.id: row for row in _rows(among("id", rest), rest, values=values)}
    return found


def between(first: int, last: int, limit: int, *, newest: bool = False) -> list[Row]:
    """Return at most `limit` records from `first` to `last` by id, or the last ones first.

    A few queries by key, whose answers are about as long as the limit.
    """
    tail = f"BETWEEN %s AND %s ORDER BY id {'DESC' if newest else 'ASC'} LIMIT"
    low, high, number = first >> BLOCK_BITS, last >> BLOCK_BITS, limit // BLOCK + 2
    found: dict[int, Row] = {}
    while len(found) < limit:
        blocks = list(_blocks(f"id {tail} {number}", (low, high)))
        found |= {row.id: row for block in blocks for row in block if first <= row.id <= last}
        if len(blocks) < number:
            break
        border = blocks[-1][0].id >> BLOCK_BITS
        low, high = (low, border - 1) if newest else (border + 1, high)
    found |= {row.id: row for row in _rows(f"id {tail} {limit}", (first, last))}
    return sorted(found.values(), key=_id, reverse=newest)[:limit]


def with_beginnings(partitions: QuerySet[Partition]) -> QuerySet[Partition]:
    """Let partitions say when their first record was written (`begins_ms`). Four look-ups each."""
    low, blocks = OuterRef("first_row"), OuterRef("first_block")
    a_partition = 1 << (OFFSET_BITS - BLOCK_BITS)
    row = RecordRow.objects.filter(id__gte=low, id__lt=low + (1 << OFFSET_BITS)).order_by("id")
    block = RecordBlock.objects.filter(id__gte=blocks, id__lt=blocks + a_partition).order_by("id")
    number = Cast(F("id"), BigIntegerField())
    return partitions.annotate(
        first_row=number * (1 << OFFSET_BITS), first_block=number * a_partition
    ).annotate(
        row_id=Subquery(row.values("id")[:1]),
        row_ms=Subquery(row.values("timestamp_ms")[:1]),
        block_id=Subquery(block.values("id")[:1]),
        block_ms=Subquery(block.values("timestamp_ms")[:1]),
    )


def begins_ms(partition: Any) -> int | None:
    """Return Kafka's time of the first record of a partition of `with_beginnings`."""
    row_id, block_id = partition.row_id, partition.block_id
    in_block = row_id is None or (block_id is not None and block_id < row_id >> BLOCK_BITS)
    found: int | None = partition.block_ms if in_block else partition.row_ms
    return found


def any_stored() -> bool:
    """Tell whether the log holds anything."""
    return bool(select(("1",), "tracing_record", "1 = 1 LIMIT 1", ())) or bool(
        select(("1",), "tracing_recordblock", "1 = 1 LIMIT 1", ())
    )


def pairs(rows: Iterable[Row], catalogue: Catalogue) -> list[tuple[int, Record]]:
    """Return records as they were read, each with its partition's id."""
    return [(row.id >> OFFSET_BITS, record_of(row, catalogue)) for row in rows]


def record_of(row: Row, catalogue: Catalogue) -> Record:
    """Return a stored record as it was read."""
    partition_id, offset = coordinates_of(row.id)
    topic, number = catalogue.place(partition_id)
    return Record(
        topic=topic,
        partition=number,
        offset=offset,
        timestamp_ms=row.timestamp_ms,
        key=row.key,
        value=row.value,
        headers=headers_of(row.headers),
        value_length=row.value_length,
        value_sha256=row.value_sha256,
        error=row.error,
    )


def _rows(condition: str, parameters: Iterable[int], *, values: bool = True) -> list[Row]:
    columns = [
        name if values or name != "value" else "NULL AS value" for name in Row.__struct_fields__
    ]
    found = select(columns, "tracing_record", condition, parameters)
    if connection.vendor == "postgresql":
        # It hands out memoryviews.
        found = [
            tuple([bytes(value) if type(value) is memoryview else value for value in row])
            for row in found
        ]
    return [Row(*row) for row in found]


def _blocks_in(numbers: set[int]) -> Iterator[list[Row]]:
    return _blocks(among("id", numbers), numbers) if numbers else iter(())


def _blocks(condition: str, parameters: Iterable[int]) -> Iterator[list[Row]]:
    """Yield the records of blocks, one block after the other in memory."""
    decompress = zstandard.ZstdDecompressor().decompress
    for (blob,) in select(("packed",), "tracing_recordblock", condition, parameters):
        yield unpacked(decompress(bytes(blob)))
