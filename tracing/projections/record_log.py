"""The log's records as they are stored: single rows, and blocks of neighbours, compressed.

A block holds all records of `BLOCK` neighbouring offsets of a partition, so a record's id names
it. It is made when a batch covers these offsets, which is when much comes in: it costs a sixth of
its rows and takes a seventh of their room. What is left at a batch's edges are rows. A record is
never in both, and nobody but this module knows where it is.
"""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
import zstandard
from django.db import connection
from django.db.models import BigIntegerField, F, OuterRef, Subquery
from django.db.models.functions import Cast

from tracing.domain.record import Header, Record
from tracing.models import Record as RecordRow
from tracing.models import RecordBlock
from tracing.models.source import OFFSET_BITS, coordinates_of, record_id
from tracing.projections import bulk
from tracing.projections.bulk import Columns
from tracing.projections.plain_sql import among, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.db.models import QuerySet

    from tracing.domain.stretch import Stretch
    from tracing.models import Partition
    from tracing.projections.catalogue import Catalogue

BLOCK_BITS = 5
BLOCK = 1 << BLOCK_BITS
# Fewer records (the rest is transaction markers, or compacted) are rows, and so are large ones:
# a look at one record reads its whole block.
FEWEST = 8
MAX_BLOCK_BYTES = 256 * 1024
_LEVEL = 1

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


# A row as it is written: the values of `_ROWS`.
Values = tuple[Any, ...]


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A stored record's columns, in the order of `_ROWS`."""

    id: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    value_length: int
    value_sha256: bytes | None
    headers: bytes
    error: str | None


_encode = msgspec.msgpack.Encoder().encode
_decode_rows = msgspec.msgpack.Decoder(list[Row]).decode
_decode_headers = msgspec.msgpack.Decoder(tuple[Header, ...]).decode
_id = attrgetter("id")


# Writing


class Log(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Records on their way into the log: rows and blocks, as they are stored."""

    rows: list[Values]
    blocks: list[tuple[int, int, int, bytes]]


def rows_of(
    partition_id: int, records: Iterable[Record], stretches: Iterable[Stretch] = ()
) -> list[Values]:
    """Return the rows of a partition's records, in the order of their ids."""
    rows = [_row(record, partition_id) for record in records]
    single = bool(rows)
    first = record_id(partition_id, 0)
    for stretch in stretches:
        data = stretch.data
        rows += [
            (
                first | offset,
                timestamp_ms,
                data[key_at:key_end] if key_at <= key_end else None,
                data[value_at:value_end] if value_at <= value_end else None,
                # A null's is 0.
                value_end - value_at if value_at <= value_end else 0,
                None,
                b"",
                None,
            )
            for offset, timestamp_ms, key_at, key_end, value_at, value_end in stretch
        ]
    if single:
        rows.sort(key=itemgetter(0))
    return rows


def packed(partition_id: int, start: int, end: int, rows: Sequence[Values]) -> Log:
    """Return how the rows of a partition from `start` up to `end`, all that there are, go in."""
    log = Log([], [])
    first, behind = record_id(partition_id, start), record_id(partition_id, end)
    # One a call: it serves no two threads.
    compress = zstandard.ZstdCompressor(level=_LEVEL).compress
    for block, neighbours in _by_block(rows):
        covered = first <= block << BLOCK_BITS and (block + 1) << BLOCK_BITS <= behind
        if covered and len(neighbours) >= FEWEST:
            raw = _encode(neighbours)
            if len(raw) <= MAX_BLOCK_BYTES:
                blob = compress(raw)
                log.blocks.append((block, neighbours[0][1], len(neighbours), blob))
                continue
        log.rows.extend(neighbours)
    return log


def insert(logs: Iterable[Log]) -> None:
    """Store records; what is there already stays. Two statements."""
    every = list(logs)
    bulk.insert_missing(_ROWS, [row for log in every for row in log.rows])
    bulk.insert_missing(_BLOCKS, [block for log in every for block in log.blocks])


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


def _row(record: Record, partition_id: int) -> Values:
    return (
        record_id(partition_id, record.offset),
        record.timestamp_ms,
        record.key,
        record.value,
        record.value_length,
        record.value_sha256,
        _encode(record.headers) if record.headers else b"",
        record.error,
    )


def _by_block(rows: Sequence[Values]) -> Iterator[tuple[int, Sequence[Values]]]:
    """Yield each block's number with its rows, which come in the order of their ids."""
    at = 0
    while at < len(rows):
        block = rows[at][0] >> BLOCK_BITS
        # Most lack none of their neighbours: the end is where it should be.
        end = min(at + BLOCK, len(rows))
        while rows[end - 1][0] >> BLOCK_BITS != block:
            end -= 1
        yield block, rows[at:end]
        at = end


# Reading


def by_id(ids: Iterable[int], *, values: bool = True) -> dict[int, Row]:
    """Return those of these records that are stored. Two queries by key at most.

    Without `values` large ones are not read: they are None, whatever their length.
    """
    wanted = set(ids)
    # Blocks first: pruning may make rows of them meanwhile, never the other way round.
    found = {
        row.id: row
        for block in _blocks_in({record >> BLOCK_BITS for record in wanted})
        for row in block
        if row.id in wanted
    }
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


def headers_of(blob: bytes) -> tuple[Header, ...]:
    """Return the ordered headers of a stored record."""
    return _decode_headers(blob) if blob else ()


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
        yield _decode_rows(decompress(bytes(blob)))
