"""What a flow remembers of each record: enough to derive its row, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.domain.identity import UNDECODABLE, UNTYPED
from tracing.domain.text import digest16, hash64

if TYPE_CHECKING:
    from tracing.domain.event import Event

# (topic, partition, offset, part, record): where a record stands, the last word in every tie.
# `record` is the store's own number of the record; it only tells a topic from a namesake that was
# made anew, and leads back to the row.
Place = tuple[str, int, int, int, int]


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record's part in its flow.

    `event` and `cause` are 16-byte digests of the ids. `key` is a 64-bit hash of the record key,
    None without one. `time_us` is the producer's time, else Kafka's, in microseconds;
    `timestamp_ms` is Kafka's. `tier` tells the event from attempts at it (`failure.Tier`).
    """

    topic: str
    partition: int
    offset: int
    part: int
    event: bytes
    cause: bytes | None
    type: str
    service: str
    time_us: int
    timestamp_ms: int
    key: int | None
    record: int
    tier: int = 0

    @property
    def place(self) -> Place:
        """Return the coordinates, by which every tie is broken."""
        return (self.topic, self.partition, self.offset, self.part, self.record)

    @property
    def undecodable(self) -> bool:
        """Tell whether the record could not be read."""
        return self.type == UNDECODABLE

    @property
    def plain(self) -> bool:
        """Tell whether the record names no event: it could not be read or has no envelope."""
        return self.type in {UNDECODABLE, UNTYPED}


def fact_of(event: Event, record: int) -> Fact:
    """Return what the event's flow remembers of it."""
    return Fact(
        topic=event.topic,
        partition=event.partition,
        offset=event.offset,
        part=event.part,
        event=digest16(event.event_id),
        cause=None if event.causation_id is None else digest16(event.causation_id),
        type=event.type,
        service=event.service,
        time_us=event.time_us,
        timestamp_ms=event.timestamp_ms,
        key=None if event.key is None else hash64(event.key),
        record=record,
        tier=0 if event.attempt is None else int(event.attempt.tier),
    )
