"""Neighbouring records as the bytes in which they came: most never need an object of their own."""

from __future__ import annotations

import struct
from array import array
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import msgspec

from tracing.domain.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What `places` says of a record, as 64-bit integers: its offset, its timestamp in milliseconds, and
# where in `data` its key and its value begin and end. A null ends before it begins.
_WIDTH: Final = 6
NULL: Final = (0, -1)


class Stretch(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """Records of a partition in the order of their offsets, without headers and with whole values.

    Plain values throughout, so that another process may read them.
    """

    topic: str
    partition: int
    data: bytes
    places: bytes

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self.places) // (_WIDTH * 8)

    @property
    def newest_ms(self) -> int:
        """Return the latest timestamp."""
        return max(array("q", self.places)[1::_WIDTH])

    def __iter__(self) -> Iterator[tuple[int, int, bytes | None, bytes | None]]:
        """Yield each record's offset, timestamp, key and value."""
        data = self.data
        places = struct.iter_unpack(f"={_WIDTH}q", self.places)
        for offset, timestamp_ms, key_at, key_end, value_at, value_end in places:
            key = data[key_at:key_end] if key_at <= key_end else None
            value = data[value_at:value_end] if value_at <= value_end else None
            yield offset, timestamp_ms, key, value

    def records(self) -> Iterator[Record]:
        """Yield the records one by one."""
        for offset, timestamp_ms, key, value in self:
            yield Record(
                topic=self.topic,
                partition=self.partition,
                offset=offset,
                timestamp_ms=timestamp_ms,
                key=key,
                value=value,
                value_length=len(value or b""),
            )


def stretch(topic: str, partition: int, data: bytes, places: list[int]) -> Stretch:
    """Return records that lie in these bytes, with their places one behind the other."""
    return Stretch(topic=topic, partition=partition, data=data, places=array("q", places).tobytes())


def each(items: Iterable[Record | Stretch]) -> Iterator[Record]:
    """Yield single records and those of stretches, in their order."""
    for item in items:
        if isinstance(item, Stretch):
            yield from item.records()
        else:
            yield item


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """Records of a partition: most lie in stretches, between which single ones may lie."""

    records: list[Record]
    stretches: list[Stretch] = []

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.records) + sum(map(len, self.stretches))

    @property
    def newest_ms(self) -> int:
        """Return their latest timestamp, 0 without any."""
        times = [record.timestamp_ms for record in self.records]
        return max([0, *times, *(part.newest_ms for part in self.stretches)])

    def each(self) -> list[Record]:
        """Return all of them, in the order of their offsets."""
        return sorted(each([*self.records, *self.stretches]), key=attrgetter("offset"))
