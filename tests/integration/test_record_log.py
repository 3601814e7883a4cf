"""The log's records, whether rows or blocks: what was put in comes out, until it is deleted."""

from __future__ import annotations

import itertools
from operator import attrgetter

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.log import record, stored, write
from tests.unit.kafka.batches import Written, fetched, ours, topics
from tracing.domain.record import Record
from tracing.domain.stretch import Stretch, each
from tracing.kafka import decompression
from tracing.models import Partition, RecordBlock
from tracing.models import Record as RecordRow
from tracing.models.source import record_id
from tracing.projections import record_log, record_rows
from tracing.projections.record_rows import BLOCK, BLOCK_BITS, FEWEST, Row

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PARTITION = 7
EXAMPLES = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)

# Runs of offsets: how many records follow each other, and how many offsets then have none.
runs = st.lists(st.tuples(st.integers(1, 90), st.sampled_from([0, 0, 1, 3, 40])), max_size=5)
headers = st.lists(st.tuples(st.text(max_size=3), st.none() | st.binary(max_size=3)), max_size=2)
contents = st.lists(
    st.tuples(st.none() | st.binary(max_size=5), st.none() | st.binary(max_size=20), headers),
    min_size=1,
    max_size=4,
)


def made(begin: int, drawn: list[tuple[int, int]], said: list[tuple[object, ...]]) -> list[Record]:
    """Return records at the offsets of these runs."""
    kinds = itertools.cycle(said)
    found, offset = [], begin
    for length, gap in drawn:
        for _ in range(length):
            key, value, pairs = next(kinds)
            found.append(
                Record(
                    topic="orders",
                    partition=0,
                    offset=offset,
                    timestamp_ms=1_790_000_000_000 + offset,
                    key=key,  # type: ignore[arg-type]
                    value=value,  # type: ignore[arg-type]
                    headers=tuple(pairs),  # type: ignore[arg-type]
                    value_length=len(value or b""),  # type: ignore[arg-type]
                )
            )
            offset += 1
        offset += gap
    return found


def put(records: list[Record], cuts: list[int]) -> None:
    """Store them in batches that end at these offsets."""
    borders = [records[0].offset, *sorted(cuts), records[-1].offset + 1]
    for start, end in itertools.pairwise(borders):
        part = [one for one in records if start <= one.offset < end]
        logs = packed(start, end, part)
        assert sum(len(log.rows) + sum(block[2] for block in log.blocks) for log in logs) == len(
            part
        )
        record_log.insert(logs)


def packed(start: int, end: int, records: list[Record]) -> list[record_rows.Log]:
    """Return how these records, all that there are from `start` up to `end`, go in."""
    compress = record_rows.compressor()
    return [
        record_rows.packed(PARTITION, start, end, rows, compress)
        for rows in record_rows.rows_of(PARTITION, records)
    ]


def same(row: Row, one: Record) -> bool:
    """Compare byte for byte."""
    return (row.id, row.timestamp_ms, row.key, row.value, row.value_length) == (
        record_id(PARTITION, one.offset),
        one.timestamp_ms,
        one.key,
        one.value,
        one.value_length,
    ) and record_rows.headers_of(row.headers) == one.headers


@EXAMPLES
@given(topics())
def test_records_in_stretches_are_stored_as_single_ones_are(written: Written) -> None:
    part = fetched(ours, written)
    items: list[Record | Stretch] = []
    decompression.install()
    while part:
        items += part.take(100)
    records = [item for item in items if isinstance(item, Record)]
    stretches = [item for item in items if isinstance(item, Stretch)]
    every = sorted(each(items), key=attrgetter("offset"))

    found = itertools.chain.from_iterable(record_rows.rows_of(PARTITION, records, stretches))

    assert list(found) == list(itertools.chain.from_iterable(record_rows.rows_of(PARTITION, every)))


@EXAMPLES
@given(st.integers(0, 70), runs, st.integers(1, 5))
def test_rows_come_some_at_a_time_with_whole_blocks(
    begin: int, drawn: list[tuple[int, int]], times: int
) -> None:
    # Enough for several pieces.
    records = made(begin, drawn * times * 5, [(None, b"v", [])])

    pieces = list(record_rows.rows_of(PARTITION, records))

    numbers = [row[0] for rows in pieces for row in rows]
    assert numbers == [record_id(PARTITION, one.offset) for one in records]
    assert all(0 < len(rows) < 2 * record_rows.CHUNK + BLOCK for rows in pieces)
    for one, other in itertools.pairwise(pieces):
        assert one[-1][0] >> BLOCK_BITS < other[0][0] >> BLOCK_BITS


@EXAMPLES
@given(st.data(), st.integers(0, 70), runs, contents)
def test_what_goes_in_comes_out(
    data: st.DataObject,
    begin: int,
    drawn: list[tuple[int, int]],
    said: list[tuple[object, ...]],
) -> None:
    records = made(begin, drawn, said)
    if not records:
        return
    offsets = [one.offset for one in records]
    cuts = data.draw(st.lists(st.integers(offsets[0], offsets[-1] + 1), max_size=3))
    with transaction.atomic():
        put(records, cuts)
        known = {record_id(PARTITION, one.offset): one for one in records}

        found = record_log.by_id([*known, record_id(PARTITION, offsets[-1] + 1)])
        assert found.keys() == known.keys()
        assert all(same(row, known[number]) for number, row in found.items())

        first, last = sorted(data.draw(st.tuples(*[st.sampled_from(sorted(known))] * 2)))
        limit = data.draw(st.integers(1, 120))
        newest = data.draw(st.booleans())
        expected = sorted((one for one in known if first <= one <= last), reverse=newest)
        rows = record_log.between(first, last, limit, newest=newest)
        assert [row.id for row in rows] == expected[:limit]

        gone = data.draw(st.sets(st.sampled_from(sorted(known)), max_size=40))
        record_log.delete(gone)
        assert record_log.by_id(known).keys() == known.keys() - gone
        assert [row.id for row in record_log.between(0, (1 << 63) - 1, 1_000)] == sorted(
            known.keys() - gone
        )
        transaction.set_rollback(True)


def test_a_batch_of_neighbours_is_stored_as_blocks_and_its_edges_as_rows() -> None:
    write(*(record(str(number)) for number in range(BLOCK // 2)))
    write(*(record(f"more-{number}") for number in range(3 * BLOCK)))

    assert RecordBlock.objects.count() == 2
    assert RecordRow.objects.count() == BLOCK // 2 + BLOCK
    assert len(stored()) == BLOCK // 2 + 3 * BLOCK


def test_few_or_large_records_are_rows() -> None:
    few = made(0, [(FEWEST - 1, BLOCK)], [(None, b"x", [])])
    large = made(0, [(BLOCK, 0)], [(None, b"x" * 10_000, [])])

    (log,) = packed(0, BLOCK, few)
    assert log.blocks == []
    (log,) = packed(0, BLOCK, large)
    assert log.blocks == []
    record_log.insert([log])
    heads = record_log.by_id([row[0] for row in log.rows], values=False).values()
    assert {(row.value, row.value_length) for row in heads} == {(None, 10_000)}


def test_the_same_batch_twice_is_stored_once() -> None:
    records = made(0, [(2 * BLOCK + 5, 0)], [(b"k", b"v", [])])
    logs = packed(0, 2 * BLOCK + 5, records)

    record_log.insert(logs)
    record_log.insert(logs)

    assert len(stored()) == 2 * BLOCK + 5


def test_a_partition_begins_with_its_first_record_whether_row_or_in_a_block() -> None:
    write(*(record(str(number), at_ms=1_000 + number) for number in range(2 * BLOCK)))
    partition = Partition.objects.get()
    first = record_id(partition.id, 0)

    def begins() -> int | None:
        return record_log.begins_ms(record_log.with_beginnings(Partition.objects.all()).get())

    assert begins() == 1_000
    record_log.delete([first])
    assert begins() == 1_001
    record_log.delete(range(first, first + BLOCK))
    assert begins() == 1_000 + BLOCK
    record_log.delete(range(first, first + 2 * BLOCK))
    assert begins() is None
