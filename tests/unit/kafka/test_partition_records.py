"""The tight parser gives what the client's own gives."""

from __future__ import annotations

import kafka
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaConsumer
from kafka.consumer.fetcher import Fetcher
from kafka.record.legacy_records import LegacyRecordBatchBuilder

from tests.examples import share
from tests.unit.kafka.batches import LIMIT, Row, Written, batch, ours, ours_of, read, rows, topics
from tracing.kafka import decompression, partition_records
from tracing.kafka.partition_records import install


@pytest.fixture(autouse=True, scope="module")
def bounded() -> None:
    """Put the bounded decoders in place, as the consumer does."""
    decompression.install()


@share(60)
@given(written=topics(), data=st.data(), step=st.sampled_from([1, 3, 2_000]))
def test_it_reads_what_the_client_reads(written: Written, data: st.DataObject, step: int) -> None:
    start = data.draw(st.integers(0, written.end), label="start")

    theirs, their_end = read(Fetcher.PartitionRecords, written, start, step)
    found, end = read(ours, written, start, step)

    assert found == theirs
    assert end == max(their_end, start)


@share(20)
@given(rows=st.lists(rows, min_size=1, max_size=6), data=st.data())
def test_of_an_answer_that_is_cut_the_whole_batches_are_read(
    rows: list[Row], data: st.DataObject
) -> None:
    first = batch(0, rows)
    second = batch(5_000, rows)
    cut = data.draw(st.integers(0, len(second) - 1))

    assert ours_of(first + second[:cut]) == ours_of(first)


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
