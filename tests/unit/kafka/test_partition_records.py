"""The tight parser gives what the client's own gives, and loses less where a batch is damaged."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import kafka
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.protocol.consumer import IsolationLevel
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.legacy_records import LegacyRecordBatchBuilder
from kafka.record.util import calc_crc32c

from tests.strangers.hostile import NotText
from tracing.domain.record import Header, Record
from tracing.kafka import decompression, partition_records
from tracing.kafka.partition_records import MAX_LOST, PartitionRecords, install, record_of

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
    st.tuples(st.sampled_from(["a", "A", "é", "", "trace"]) | st.text(), st.none() | st.binary()),
    max_size=4,
)
many_headers = st.lists(
    st.tuples(st.just("h"), st.none() | st.just(b"1")), min_size=70, max_size=70
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


def read(
    kind: Callable[..., Any], written: Written, start: int, step: int
) -> tuple[list[Record], int]:
    """Return the records, and the position behind them."""
    part = kind(
        start,
        PLACE,
        MemoryRecords(written.data),
        isolation_level=IsolationLevel.READ_COMMITTED,
        aborted_transactions=list(written.aborted),
        on_drain=lambda _part: None,
    )
    found: list[Record] = []
    while part:
        found += [
            row if isinstance(row, Record) else record_of(row, PLACE, LIMIT)
            for row in part.take(step)
        ]
    return found, part.next_fetch_offset


def ours(*arguments: Any, **options: Any) -> PartitionRecords:
    return PartitionRecords(*arguments, max_record_bytes=LIMIT, **options)


def ours_of(data: bytes, start: int = 0) -> tuple[list[Record], int]:
    return read(ours, Written(data), start, 100)


@pytest.fixture(autouse=True, scope="module")
def bounded() -> None:
    """Put the bounded decoders in place, as the consumer does."""
    decompression.install()


@pytest.mark.slow
@settings(max_examples=60)
@given(written=topics(), data=st.data(), step=st.sampled_from([1, 3, 2_000]))
def test_it_reads_what_the_client_reads(written: Written, data: st.DataObject, step: int) -> None:
    start = data.draw(st.integers(0, written.end), label="start")

    theirs, their_end = read(Fetcher.PartitionRecords, written, start, step)
    found, end = read(ours, written, start, step)

    assert found == theirs
    assert end == max(their_end, start)


@pytest.mark.slow
@settings(max_examples=20)
@given(rows=st.lists(rows, min_size=1, max_size=6), data=st.data())
def test_of_an_answer_that_is_cut_the_whole_batches_are_read(
    rows: list[Row], data: st.DataObject
) -> None:
    first = batch(0, rows)
    second = batch(5_000, rows)
    cut = data.draw(st.integers(0, len(second) - 1))

    assert ours_of(first + second[:cut]) == ours_of(first)


@pytest.mark.slow
@settings(max_examples=30)
@given(written=topics(), data=st.data())
def test_damage_is_told_and_never_stops_the_reader(written: Written, data: st.DataObject) -> None:
    raw = bytearray(written.data)
    for _ in range(data.draw(st.integers(1, 3))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))

    found, _end = ours_of(bytes(raw))

    offsets = [record.offset for record in found]
    assert len(offsets) < MAX_LOST + 100
    assert all(record.error is None or record.value is None for record in found)


@pytest.mark.slow
@settings(max_examples=50)
@given(rows=st.lists(rows, min_size=1, max_size=5), data=st.data(), codec=st.integers(0, 4))
def test_a_batch_with_a_right_checksum_and_nonsense_inside_is_accounted_for(
    rows: list[Row], data: st.DataObject, codec: int
) -> None:
    raw = bytearray(batch(10, rows, codec=codec))
    raw[data.draw(st.integers(61, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    (last_delta,) = struct.unpack_from(">i", raw, 23)

    found, end = ours_of(sealed(raw) + batch(11 + last_delta, [Row()]), 10)

    offsets = [record.offset for record in found]
    assert offsets == sorted(set(offsets))
    assert end == 12 + last_delta
    assert found[-1].offset == 11 + last_delta
    assert found[-1].error is None


def test_a_damaged_batch_costs_its_own_offsets_and_no_others() -> None:
    good = [batch(0, [Row(), Row()]), batch(5, [Row()])]
    bad = bytearray(batch(2, [Row(), Row(), Row()]))
    bad[-1] ^= 1

    found, end = ours_of(good[0] + bad + good[1])

    assert [(row.offset, row.error is None) for row in found] == [
        (0, True),
        (1, True),
        (2, False),
        (3, False),
        (4, False),
        (5, True),
    ]
    assert "checksum is wrong" in (found[2].error or "")
    assert end == 6


def test_a_damaged_batch_whose_end_is_not_believed_costs_one_offset_at_a_time() -> None:
    bad = bytearray(batch(2, [Row(), Row()]))
    struct.pack_into(">i", bad, 23, 1 << 30)

    found, end = ours_of(bytes(bad) + batch(4, [Row()]), 2)

    assert [(row.offset, row.error is None) for row in found] == [(2, False)]
    assert end == 3


def test_a_damaged_batch_that_claims_to_be_far_away_is_not_believed() -> None:
    bad = bytearray(batch(1 << 60, [Row()]))
    bad[-1] ^= 1

    found, end = ours_of(bytes(bad), 2)

    assert [(row.offset, row.error is None) for row in found] == [(2, False)]
    assert end == 3


def test_damage_behind_a_gap_costs_nothing_of_the_gap() -> None:
    bad = sealed(batch(500_000, [Row()])[:-1] + b"\x02")

    found, end = ours_of(bad, 2)

    assert [(row.offset, row.error is None) for row in found] == [(500_000, False)]
    assert end == 500_001


def test_a_header_name_that_is_not_utf8_costs_one_record() -> None:
    data = batch(0, [Row(), Row(headers=((NotText("x"), b"1"),)), Row(value=b"kept")])

    found, end = ours_of(data)

    assert [row.error is None for row in found] == [True, False, True]
    assert found[1].offset == 1
    assert (found[2].value, end) == (b"kept", 3)


def test_an_unknown_codec_is_told() -> None:
    found, end = ours_of(batch(0, [Row()], more_attributes=6))

    assert "codec 6 is unknown" in (found[0].error or "")
    assert end == 1


@pytest.mark.slow
def test_a_bomb_is_told_and_what_follows_is_read() -> None:
    bomb = batch(0, [Row(value=b"\x00" * (65 << 20))], codec=4)

    found, end = ours_of(bomb + batch(1, [Row()]))

    assert "when it is decompressed" in (found[0].error or "")
    assert (found[1].error, end) == (None, 2)


@pytest.mark.parametrize("magic", [0, 1])
@pytest.mark.parametrize("codec", [0, 1, 2])
def test_older_formats_are_read_by_the_client(magic: int, codec: int) -> None:
    builder = LegacyRecordBatchBuilder(magic=magic, compression_type=codec, batch_size=1 << 20)
    for offset in range(3):
        builder.append(offset, timestamp=5, key=b"k", value=b"v")

    found, end = ours_of(bytes(builder.build()), 1)

    assert [(row.offset, row.key, row.value) for row in found] == [
        (1, b"k", b"v"),
        (2, b"k", b"v"),
    ]
    assert end == 3


class Client:
    """As much of a consumer as is looked at."""

    class _fetcher:  # noqa: N801 - the client's name
        PartitionRecords = Fetcher.PartitionRecords


def test_the_pinned_client_is_the_one_that_it_stands_in_for() -> None:
    client: KafkaConsumer = Client()

    assert install(client, LIMIT)
    assert client._fetcher.PartitionRecords is not Fetcher.PartitionRecords


def test_another_client_keeps_its_own_parser_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kafka, "__version__", "4.0.0")

    assert not install(Client(), LIMIT)
    assert f"4.0.0 and not {partition_records.VERSION}" in caplog.text
