"""What a flow remembers of each record: enough to derive its row, and no more."""

from __future__ import annotations

import msgspec

from tracing.domain.identity import UNDECODABLE, UNTYPED

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
