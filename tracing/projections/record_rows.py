"""Records as rows and blocks, made before they are stored: needs no database and no lock."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
import zstandard

from tracing.domain.record import Header, Record
from tracing.models.source import record_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracing.domain.stretch import Stretch

BLOCK_BITS = 5
BLOCK = 1 << BLOCK_BITS
# Fewer records (the rest is transaction markers, or compacted) are rows, and so are large ones:
# a look at one record reads its whole block.
FEWEST = 8
MAX_BLOCK_BYTES = 256 * 1024
_LEVEL = 1
# Rows that are made and packed at a time: enough for a fixed cost, few enough for the caches.
CHUNK = 8 * BLOCK

# A row as it is written: the values of `Row`.
Values = tuple[Any, ...]
Compress = Callable[[bytes], bytes]


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A stored record's columns, in the order of `record_log`'s."""

    id: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    value_length: int
    value_sha256: bytes | None
    headers: bytes
    error: str | None


_encode = msgspec.msgpack.Encoder().encode
unpacked = msgspec.msgpack.Decoder(list[Row]).decode
_each_raw = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_one = msgspec.msgpack.Decoder(Row).decode
_decode_headers = msgspec.msgpack.Decoder(tuple[Header, ...]).decode


class Log(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Records on their way into the log: rows and blocks, as they are stored."""

    rows: list[Values]
    blocks: list[tuple[int, int, int, bytes]]


def rows_of(
    partition_id: int, records: Iterable[Record], stretches: Iterable[Stretch] = ()
) -> Iterator[Sequence[Values]]:
    """Yield the rows of a partition's records in the order of their ids, some at a time.

    Between two of these lies the border of a block.
    """
    rows: list[Values] = []
    for some in _some_rows(partition_id, records, stretches):
        rows += some
        if len(rows) >= CHUNK:
            # The last one's block may go on.
            block, end = rows[-1][0] >> BLOCK_BITS, len(rows)
            while end and rows[end - 1][0] >> BLOCK_BITS == block:
                end -= 1
            yield rows[:end]
            del rows[:end]
    if rows:
        yield rows


def _some_rows(
    partition_id: int, records: Iterable[Record], stretches: Iterable[Stretch]
) -> Iterator[list[Values]]:
    lying = _lying(partition_id, stretches)
    single = [_row(record, partition_id) for record in records]
    if not single:
        yield from lying
        return
    rows = heapq.merge(single, itertools.chain.from_iterable(lying), key=itemgetter(0))
    while some := list(itertools.islice(rows, CHUNK)):
        yield some


def _lying(partition_id: int, stretches: Iterable[Stretch]) -> Iterator[list[Values]]:
    """Yield the rows of records that lie in stretches, some at a time."""
    first = record_id(partition_id, 0)
    for stretch in stretches:
        each = iter(stretch)
        while some := [
            (first | offset, timestamp_ms, key, value, len(value or b""), None, b"", None)
            for offset, timestamp_ms, key, value in itertools.islice(each, CHUNK)
        ]:
            yield some


def compressor() -> Compress:
    """Return what compresses blocks. It serves no two threads."""
    compress = zstandard.ZstdCompressor(level=_LEVEL).compress
    # What the library returns keeps the memory that an incompressible block would have taken.
    return lambda raw: bytes(memoryview(compress(raw)))


def packed(
    partition_id: int, start: int, end: int, rows: Sequence[Values], compress: Compress
) -> Log:
    """Return how rows of a partition that is read from `start` up to `end` go in.

    Of each block there are all rows that there are in these borders.
    """
    log = Log([], [])
    first, behind = record_id(partition_id, start), record_id(partition_id, end)
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


def some_unpacked(raw: bytes, records: Iterable[int]) -> dict[int, Row]:
    """Return those of a block's records that are asked for; the others are not looked at."""
    every = _each_raw(raw)
    if len(every) == BLOCK:
        return {record: _one(every[record & (BLOCK - 1)]) for record in records}
    found = {row.id: row for row in unpacked(raw)}
    return {record: found[record] for record in records if record in found}


def headers_of(blob: bytes) -> tuple[Header, ...]:
    """Return the ordered headers of a stored record."""
    return _decode_headers(blob) if blob else ()


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
