"""Record batches of format v2, straight into our records.

kafka-python makes four objects and some twenty calls of each record; here one loop reads a batch,
and notes of most records only where they lie. Pure: bytes in, records out. Source: the record batch
and record in Kafka's protocol guide, https://kafka.apache.org/documentation/#recordbatch.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from kafka.record.util import calc_crc32c

from tracing.domain.record import MAX_TIMESTAMP_MS, Header, Record, capped
from tracing.domain.stretch import NULL, Stretch, stretch
from tracing.kafka.decompression import DECODERS

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER = struct.Struct(">qiibIhiqqqhii")
# Base offset and length, which the length itself does not count.
_BEFORE = 12
# The checksum covers everything from the attributes on.
_CHECKED = 21
_NO_NAME = "The record cannot be read: a header's name is not UTF-8."


class DamagedBatchError(ValueError):
    """A record batch, or the rest of one, cannot be read."""


class Batch(NamedTuple):
    """The header of a batch, and where its records are."""

    base: int
    size: int
    epoch: int
    magic: int
    crc: int
    attributes: int
    last_delta: int
    first_timestamp_ms: int
    max_timestamp_ms: int
    producer: int
    producer_epoch: int
    sequence: int
    records: int
    whole: memoryview

    @property
    def end(self) -> int:
        """Return the offset behind the batch, also when compaction removed its last records."""
        return self.base + self.last_delta + 1

    @property
    def transactional(self) -> bool:
        """Tell whether the batch belongs to a transaction."""
        return bool(self.attributes & 0x10)

    @property
    def control(self) -> bool:
        """Tell whether the batch holds a transaction's marker instead of records."""
        return bool(self.attributes & 0x20)

    def check(self) -> None:
        """Raise DamagedBatchError when the checksum is another."""
        if calc_crc32c(self.whole[_CHECKED:]) != self.crc:
            raise DamagedBatchError("its checksum is wrong")

    def content(self) -> bytes:
        """Return the records' bytes. Raises DamagedBatchError, CompressedBatchError."""
        packed = self.whole[_HEADER.size :]
        codec = self.attributes & 0x07
        if codec == 0:
            return bytes(packed)
        if codec not in DECODERS:
            raise DamagedBatchError(f"its compression codec {codec} is unknown")
        return DECODERS[codec](packed)


def split(buffer: memoryview) -> Iterator[Batch]:
    """Yield the batches that are whole; the broker cuts the last one where its answer ends.

    Of a batch in an older format only base, size and magic mean something. Raises
    DamagedBatchError when a length leads nowhere.
    """
    at = 0
    while len(buffer) - at >= _BEFORE:
        size = _BEFORE + int.from_bytes(buffer[at + 8 : at + _BEFORE], "big", signed=True)
        if size < _BEFORE:
            raise DamagedBatchError("its length is negative")
        if at + size > len(buffer):
            return
        whole = buffer[at : at + size]
        if size < _HEADER.size:
            # Only the older formats are so short.
            yield Batch._make((*_HEADER.unpack(bytes(whole).ljust(_HEADER.size, b"\0")), whole))
        else:
            yield Batch._make((*_HEADER.unpack_from(whole), whole))
        at += size


class Reader:
    """Reads one batch in pieces; `damage` says why it stopped before its end."""

    def __init__(self, batch: Batch, topic: str, partition: int, *, start: int, limit: int) -> None:
        """Decompress. Records before `start` are passed over, values above `limit` bytes cut.

        Raises DamagedBatchError and CompressedBatchError.
        """
        self.damage: str | None = None
        self._topic = topic
        self._partition = partition
        self._start = start
        self._limit = limit
        self._base = batch.base
        self._last = batch.base + batch.last_delta
        self._seen = batch.base - 1
        # Set by the broker for the whole batch, or by the producer for each record.
        self._appended_ms = batch.max_timestamp_ms if batch.attributes & 0x08 else None
        self._first_ms = batch.first_timestamp_ms
        self._left = batch.records
        self._data = batch.content()
        self._at = 0

    @property
    def offset(self) -> int:
        """Return the offset to read next."""
        return max(self._seen + 1, self._start)

    @property
    def done(self) -> bool:
        """Tell whether nothing more can be read."""
        return self.damage is not None or self._left <= 0

    def take(self, count: int) -> list[Record | Stretch]:
        """Read on over at most `count` records; return those from `start` on.

        First those that have nothing but a key and a value as one stretch, then all others.
        """
        found: list[Record | Stretch] = []
        places: list[int] = []
        begin = self._at
        try:
            self._read(min(count, self._left), found, places)
            if self._left <= 0 and self._at != len(self._data):
                self.damage = "bytes follow its last record"
        except IndexError:
            self.damage = "it ends too early"
        except DamagedBatchError as error:
            self.damage = str(error)
        if places:
            found.insert(0, self._stretch(places, begin))
        return found

    def _stretch(self, places: list[int], begin: int) -> Stretch:
        if begin:
            # Not the whole batch with each part of it.
            for column in range(2, 6):
                places[column::6] = [at - begin for at in places[column::6]]
        return stretch(self._topic, self._partition, self._data[begin : self._at], places)

    def _read(  # noqa: C901 - one loop
        self, count: int, found: list[Record | Stretch], places: list[int]
    ) -> None:
        # A call costs as much as the rest of a record: integers of up to two bytes, which are
        # nearly all, are read in place. Each is zigzag-coded: its lowest bit is its sign.
        data, at, size = self._data, self._at, len(self._data)
        for _ in range(count):
            length, at = data[at], at + 1
            if length > 0x7F:
                more = data[at]
                if more < 0x80:
                    length, at = length & 0x7F | more << 7, at + 1
                else:
                    length, at = _varint(data, at - 1)
            end = at + (length >> 1)
            if end > size or length & 1:
                raise DamagedBatchError("a record is longer than its batch")
            # Before the time stands a byte of attributes, of which none is in use.
            delta_ms, at = data[at + 1], at + 2
            if delta_ms > 0x7F:
                delta_ms, at = _varint(data, at - 1)
            delta, at = data[at], at + 1
            if delta > 0x7F:
                more = data[at]
                if more < 0x80:
                    delta, at = delta & 0x7F | more << 7, at + 1
                else:
                    delta, at = _varint(data, at - 1)
            key_size, at = data[at], at + 1
            if key_size > 0x7F:
                key_size, at = _varint(data, at - 1)
            if key_size & 1:
                key_at, key_end = NULL
            else:
                key_at, at = at, at + (key_size >> 1)
                key_end = at
            value_size, at = data[at], at + 1
            if value_size > 0x7F:
                more = data[at]
                if more < 0x80:
                    value_size, at = value_size & 0x7F | more << 7, at + 1
                else:
                    value_size, at = _varint(data, at - 1)
            if value_size & 1:
                value_at, value_end = NULL
            else:
                value_at, at = at, at + (value_size >> 1)
                value_end = at
            error = None
            headers: tuple[Header, ...] = ()
            if data[at]:
                try:
                    headers, at = _headers(data, at)
                except UnicodeDecodeError:
                    error, at = _NO_NAME, end
            else:
                at += 1
            if at != end:
                raise DamagedBatchError("the parts of a record do not make up its length")
            offset = self._base + (delta >> 1)
            if delta & 1 or not self._seen < offset <= self._last:
                raise DamagedBatchError("its offsets do not grow")
            self._seen, self._at = offset, at
            self._left -= 1
            if offset < self._start:
                continue
            time_ms = self._appended_ms
            if time_ms is None:
                time_ms = self._first_ms + ((delta_ms >> 1) ^ -(delta_ms & 1))
            if not 0 <= time_ms <= MAX_TIMESTAMP_MS:
                time_ms = min(max(time_ms, 0), MAX_TIMESTAMP_MS)
            if not headers and error is None and value_end - value_at <= self._limit:
                places += (offset, time_ms, key_at, key_end, value_at, value_end)
                continue
            key = None if error or key_end < key_at else data[key_at:key_end]
            value = None if error or value_end < value_at else data[value_at:value_end]
            value, length, sha256 = capped(value, self._limit)
            found.append(
                Record(
                    topic=self._topic,
                    partition=self._partition,
                    offset=offset,
                    timestamp_ms=time_ms,
                    key=key,
                    value=value,
                    headers=headers,
                    value_length=length,
                    value_sha256=sha256,
                    error=error,
                )
            )


def _headers(data: bytes, at: int) -> tuple[tuple[Header, ...], int]:
    """Return the headers that begin here with their number, and the place behind them."""
    count, at = _varint(data, at)
    if count & 1:
        raise DamagedBatchError("a record has a negative number of headers")
    found: list[Header] = []
    for _ in range(count >> 1):
        size, at = data[at], at + 1
        if size > 0x7F:
            size, at = _varint(data, at - 1)
        if size & 1:
            raise DamagedBatchError("the name of a header has a negative length")
        end = at + (size >> 1)
        name = data[at:end].decode()
        size, at = data[end], end + 1
        if size > 0x7F:
            size, at = _varint(data, at - 1)
        if size & 1:
            found.append((name, None))
        else:
            end = at + (size >> 1)
            found.append((name, data[at:end]))
            at = end
    return tuple(found), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the unsigned integer that begins here, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise DamagedBatchError("a number is longer than 64 bits")
