"""The fetched part of a partition, read by `batches` in place of the client's own parser.

Bound to the client's private classes, so to its pinned version: `install` looks before it replaces.
Nothing here raises for what a batch holds: what cannot be read becomes records with `error`, for
all its offsets at once, and the client goes on behind them.
"""

from __future__ import annotations

import inspect
import logging
import struct
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import kafka
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError, UnsupportedCodecError
from kafka.protocol.consumer import IsolationLevel
from kafka.record import MemoryRecords

from tracing.domain.record import MAX_TIMESTAMP_MS, Record, capped
from tracing.domain.stretch import Stretch, each
from tracing.kafka.batches import Batch, DamagedBatchError, Reader, split
from tracing.kafka.decompression import CompressedBatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kafka import KafkaConsumer, TopicPartition

log = logging.getLogger(__name__)

# The version of the client whose class this stands in for.
VERSION = "3.0.12"
_ARGUMENTS = [
    "self",
    "fetch_offset",
    "tp",
    "records",
    "key_deserializer",
    "value_deserializer",
    "check_crcs",
    "isolation_level",
    "aborted_transactions",
    "metric_aggregator",
    "on_drain",
]
# Records are read in pieces of so many, and a poll gets whole pieces.
PIECE = 500
# A damaged batch that claims more offsets than this is not believed.
MAX_LOST = 100_000
_UNREADABLE = (DamagedBatchError, CompressedBatchError)
# What a batch can do to the client when it is damaged or in a codec that is not installed.
UNREADABLE = (
    CorruptRecordError,
    UnsupportedCodecError,
    ValueError,
    AssertionError,
    IndexError,
    struct.error,
)

# The key of a transaction's marker: a version, and whether it committed.
_CONTROL_KEY = struct.Struct(">hh")
Piece = tuple[Sequence[Record | Stretch], int]


def install(client: KafkaConsumer, max_record_bytes: int) -> bool:
    """Read this client's batches; leave it as it is, and say so, when it is another version."""
    fetcher = client._fetcher  # noqa: SLF001 - there is no public way
    arguments = list(inspect.signature(Fetcher.PartitionRecords.__init__).parameters)
    if kafka.__version__ != VERSION or arguments != _ARGUMENTS:
        log.warning(
            "kafka-python is %s and not %s: its own parser reads the records, which is slower.",
            kafka.__version__,
            VERSION,
        )
        return False

    def made(*arguments: Any, **options: Any) -> PartitionRecords:
        return PartitionRecords(*arguments, max_record_bytes=max_record_bytes, **options)

    fetcher.PartitionRecords = made
    return True


class Taken:
    """Records and stretches of them. Its length is that of all records: the client counts them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._items: list[Record | Stretch] = []
        self._count = 0

    def add(self, items: Iterable[Record | Stretch]) -> None:
        """Add what was read next."""
        for item in items:
            self._items.append(item)
            self._count += len(item) if isinstance(item, Stretch) else 1

    def __len__(self) -> int:
        """Return how many records there are."""
        return self._count

    def __iter__(self) -> Iterator[Record | Stretch]:
        """Yield records and stretches."""
        return iter(self._items)


class PartitionRecords:
    """What one fetch brought of a partition, with the face that the client's fetcher expects."""

    def __init__(
        self,
        fetch_offset: int,
        tp: TopicPartition,
        records: MemoryRecords,
        *,
        max_record_bytes: int,
        isolation_level: IsolationLevel,
        aborted_transactions: Any = None,
        metric_aggregator: Any = None,
        on_drain: Callable[[Any], None],
        **_options: Any,
    ) -> None:
        """Read nothing yet."""
        self.topic_partition = tp
        self.next_fetch_offset = fetch_offset
        self.leader_epoch = -1
        self.bytes_read = 0
        self._records_read = 0
        self._max_record_bytes = max_record_bytes
        self._committed_only = isolation_level == IsolationLevel.READ_COMMITTED
        self._aborted = deque(sorted(aborted_transactions or (), key=lambda one: one.first_offset))
        self._aborting: set[int] = set()
        self._metric_aggregator = metric_aggregator
        self._on_drain = on_drain
        self._buffer = memoryview(records._buffer)  # noqa: SLF001
        self._pieces: Iterator[Piece] | None = self._read()

    def __bool__(self) -> bool:
        """Tell whether there may be more."""
        return self._pieces is not None

    def take(self, count: int) -> Taken:
        """Return `count` records, or up to a piece more; fewer at the end."""
        found = Taken()
        while self._pieces is not None and len(found) < count:
            piece = next(self._pieces, None)
            if piece is None:
                self.drain()
                break
            found.add(piece[0])
            self.next_fetch_offset = max(self.next_fetch_offset, piece[1])
        self._records_read += len(found)
        return found

    def drain(self) -> None:
        """Forget what has not been read."""
        if self._pieces is None:
            return
        self._pieces = None
        self._buffer = memoryview(b"")
        if self._metric_aggregator:
            self._metric_aggregator.record(
                self.topic_partition, self.bytes_read, self._records_read
            )
        self._on_drain(self)

    def _read(self) -> Iterator[Piece]:
        """Yield pieces, each with the offset behind it, until this fetch ends or makes no sense."""
        try:
            for batch in split(self._buffer):
                self.bytes_read += len(batch.whole)
                yield from self._batch(batch) if batch.magic >= 2 else self._old_batch(batch)
        except DamagedBatchError as error:
            yield from self._lost(self.next_fetch_offset + 1, error)

    def _batch(self, batch: Batch) -> Iterator[Piece]:
        # What a damaged header says of the end counts only if it says it twice.
        believed, checked = batch.records == batch.last_delta + 1 > 0, False
        try:
            batch.check()
            believed, checked = batch.last_delta >= 0, True
            self.leader_epoch = batch.epoch
            if self._is_hidden(batch):
                yield [], batch.end
                return
            reader = Reader(
                batch,
                self.topic_partition.topic,
                self.topic_partition.partition,
                start=self.next_fetch_offset,
                limit=self._max_record_bytes,
            )
            while not reader.done:
                found = reader.take(PIECE)
                yield found, reader.offset
            if reader.damage is not None:
                raise DamagedBatchError(reader.damage)
            yield [], batch.end
        except _UNREADABLE as error:
            if checked and batch.base > self.next_fetch_offset:
                yield [], batch.base
            if not believed or not 0 <= batch.end - self.next_fetch_offset <= MAX_LOST:
                raise DamagedBatchError(str(error)) from error
            yield from self._lost(batch.end, error)

    def _is_hidden(self, batch: Batch) -> bool:
        """Tell whether a batch holds a marker, or records of an aborted transaction."""
        if self._committed_only and batch.producer >= 0:
            while self._aborted and self._aborted[0].first_offset < batch.end:
                self._aborting.add(self._aborted.popleft().producer_id)
            if batch.control and _aborts(batch):
                self._aborting.discard(batch.producer)
            elif batch.transactional and batch.producer in self._aborting:
                return True
        return batch.control

    def _old_batch(self, batch: Batch) -> Iterator[Piece]:
        """Read a batch in a format of before 2017 with the client's own means."""
        found = []
        try:
            rows = MemoryRecords(batch.whole).next_batch()
            if not rows.validate_crc():
                raise DamagedBatchError("its checksum is wrong")
            for row in rows:
                if not row.validate_crc():
                    raise DamagedBatchError("the checksum of a record is wrong")
                if row.offset >= self.next_fetch_offset:
                    found.append(record_of(row, self.topic_partition, self._max_record_bytes))
        except UNREADABLE as error:
            raise DamagedBatchError(str(error)) from error
        if found:
            yield found, found[-1].offset + 1

    def _lost(self, end: int, error: Exception) -> Iterator[Piece]:
        """Yield a record with its error for each offset up to `end` that was not read."""
        reason = f"The broker's batch cannot be read: {error}."[:1_000]
        topic, partition = self.topic_partition
        log.warning(
            "%s[%s]@%s to %s: %s", topic, partition, self.next_fetch_offset, end - 1, reason
        )
        while (begin := self.next_fetch_offset) < end:
            stop = min(begin + PIECE, end)
            yield [lost(topic, partition, offset, reason) for offset in range(begin, stop)], stop


def lost(topic: str, partition: int, offset: int, reason: str) -> Record:
    """Return what stands for a record that cannot be read."""
    return Record(topic=topic, partition=partition, offset=offset, timestamp_ms=0, error=reason)


def record_of(row: Any, place: TopicPartition, limit: int) -> Record:
    """Return the record that the client made, with a value above `limit` bytes cut."""
    value, length, sha256 = capped(row.value, limit)
    return Record(
        topic=place.topic,
        partition=place.partition,
        offset=row.offset,
        timestamp_ms=min(max(row.timestamp or 0, 0), MAX_TIMESTAMP_MS),
        key=row.key,
        value=value,
        headers=tuple(row.headers),
        value_length=length,
        value_sha256=sha256,
    )


def _aborts(batch: Batch) -> bool:
    """Tell whether a control batch says that a transaction was aborted.

    Raises DamagedBatchError and CompressedBatchError.
    """
    reader = Reader(batch, "", 0, start=batch.base, limit=_CONTROL_KEY.size)
    marker = list(each(reader.take(1)))
    if not marker or len(marker[0].key or b"") != _CONTROL_KEY.size:
        raise DamagedBatchError("its transaction marker makes no sense")
    kind: int = _CONTROL_KEY.unpack(marker[0].key or b"")[1]
    return kind == 0
