"""Batches as a broker sends them, whole or damaged, and what reads them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from hypothesis import strategies as st
from kafka import TopicPartition
from kafka.protocol.consumer import IsolationLevel
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.util import calc_crc32c

from tests.examples import picks
from tracing.domain.record import Header, Record
from tracing.domain.stretch import each
from tracing.kafka.partition_records import PartitionRecords, Taken, record_of

PLACE = TopicPartition("orders", 3)
LIMIT = 1_000
LARGE = 1 << 40


class Row(NamedTuple):
    """A record to write; `skipped` offsets before it were removed by compaction."""

    key: bytes | None = None
    value: bytes | None = b"value"
    headers: Sequence[Header] = ()
    timestamp_ms: int = 1_000
    skipped: int = 0


class Aborted(NamedTuple):
    """A transaction that the broker's answer calls aborted."""

    producer_id: int
    first_offset: int


class Written(NamedTuple):
    """Batches as a broker sends them."""

    data: bytes
    aborted: tuple[Aborted, ...] = ()
    end: int = 0


def sealed(raw: bytes | bytearray) -> bytes:
    """Return a batch with the checksum that belongs to it."""
    raw = bytearray(raw)
    struct.pack_into(">I", raw, 17, calc_crc32c(memoryview(raw)[21:]))
    return bytes(raw)


def batch(
    base: int,
    rows: Sequence[Row],
    *,
    codec: int = 0,
    producer: int = -1,
    more_attributes: int = 0,
    cut: int = 0,
) -> bytes:
    """Return a batch that begins at an offset; `cut` offsets at its end were compacted away."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=codec,
        is_transactional=producer >= 0,
        producer_id=producer,
        producer_epoch=0,
        base_sequence=0,
        batch_size=1 << 24,
    )
    delta = -1
    for row in rows:
        delta += 1 + row.skipped
        builder.append(delta, row.timestamp_ms, row.key, row.value, list(row.headers))
    raw = bytearray(builder.build())
    struct.pack_into(">q", raw, 0, base)
    struct.pack_into(">i", raw, 12, 5)
    (attributes,) = struct.unpack_from(">h", raw, 21)
    struct.pack_into(">hi", raw, 21, attributes | more_attributes, delta + cut)
    return sealed(raw)


def marker(base: int, producer: int, *, committed: bool) -> bytes:
    """Return the control batch that ends a transaction."""
    row = Row(struct.pack(">hh", 0, int(committed)), b"\x00" * 6)
    return batch(base, [row], producer=producer, more_attributes=0x20)


headers = st.lists(
    st.tuples(
        st.sampled_from(["a", "A", "é", "", "trace"]) | st.text(max_size=9),
        st.none() | st.binary(max_size=20),
    ),
    max_size=4,
)
# Their number takes two bytes.
many_headers = picks(70, least=70, below=2).map(
    lambda nulls: [("h", None if null else b"1") for null in nulls]
)
payloads = st.none() | st.binary(max_size=80) | st.integers(60, 20_000).map(lambda n: b"x" * n)
rows = st.builds(
    Row,
    key=payloads,
    value=payloads,
    headers=headers | many_headers,
    timestamp_ms=st.integers(-5, 2_000) | st.integers(0, LARGE),
    skipped=st.just(0) | st.integers(0, 300),
)


@st.composite
def topics(draw: st.DrawFn) -> Written:
    """Draw a few batches of every codec, with transactions that end either way."""
    data, aborted, base = b"", [], draw(st.integers(0, 10_000))
    for _ in range(draw(st.integers(0, 4))):
        producer = draw(st.sampled_from([-1, -1, 7, 8]))
        cut = draw(st.integers(0, 3))
        held = draw(st.lists(rows, min_size=1, max_size=6))
        data += batch(
            base,
            held,
            codec=draw(st.integers(0, 4)),
            producer=producer,
            more_attributes=draw(st.sampled_from([0, 0x08])),
            cut=cut,
        )
        first, base = base, base + sum(1 + row.skipped for row in held) + cut
        if producer >= 0:
            committed = draw(st.booleans())
            data += marker(base, producer, committed=committed)
            base += 1
            if not committed:
                aborted.append(Aborted(producer, first))
    return Written(data, tuple(aborted), base)


def fetched(kind: Callable[..., Any], written: Written, start: int = 0) -> Any:
    """Return what a client makes of a fetch, which brought this."""
    return kind(
        start,
        PLACE,
        MemoryRecords(written.data),
        isolation_level=IsolationLevel.READ_COMMITTED,
        aborted_transactions=list(written.aborted),
        on_drain=lambda _part: None,
    )


def read(
    kind: Callable[..., Any], written: Written, start: int, step: int
) -> tuple[list[Record], int]:
    """Return the records, and the position behind them."""
    part = fetched(kind, written, start)
    found: list[Record] = []
    while part:
        taken = part.take(step)
        if isinstance(taken, Taken):
            records = list(each(taken))
            assert len(taken) == len(records)
        else:
            records = [record_of(row, PLACE, LIMIT) for row in taken]
        found += records
    return sorted(found, key=attrgetter("offset")), part.next_fetch_offset


def ours(*arguments: Any, **options: Any) -> PartitionRecords:
    return PartitionRecords(*arguments, max_record_bytes=LIMIT, **options)


def ours_of(data: bytes, start: int = 0) -> tuple[list[Record], int]:
    return read(ours, Written(data), start, 100)
