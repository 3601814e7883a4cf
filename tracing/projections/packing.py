"""A flow's facts as a blob: one MessagePack array, catalogue numbers instead of names."""

from __future__ import annotations

import operator
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.derive import Sums
from tracing.domain.facts import Fact
from tracing.models.source import coordinates_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tracing.domain.event import Event
    from tracing.projections.catalogue import Catalogue


class Packed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A fact as stored. `tier` came later: blobs from before have none."""

    record: int
    part: int
    event: bytes
    cause: bytes | None
    node: int
    time_us: int
    timestamp_ms: int
    key: int | None
    tier: int = 0


class Held(msgspec.Struct, array_like=True):
    """What a flow holds: its facts, or, above `derive.LARGE` of them, only their sums."""

    facts: list[Packed]
    sums: Sums | None = None


_place = attrgetter("record", "part")
_record = attrgetter("record")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Held).decode


def fact_of(
    event: Event,
    record: int,
    node: int,
    digest16: Callable[[str], bytes],
    hash64: Callable[[str], int],
) -> Packed:
    """Return what the event's flow remembers of it.

    The hashes are those of `domain.text`, or remember what they said.
    """
    cause, key = event.causation_id, event.key
    return Packed(
        record,
        event.part,
        digest16(event.event_id),
        None if cause is None else digest16(cause),
        node,
        event.time_us,
        event.timestamp_ms,
        None if key is None else hash64(key),
        0 if event.attempt is None else int(event.attempt.tier),
    )


def unpack(packed: Iterable[Packed], catalogue: Catalogue) -> list[Fact]:
    """Return facts from their stored form. Reads names that are not in memory yet."""
    rows = list(packed)
    catalogue.pairs(row.node for row in rows)
    facts = []
    for row in rows:
        partition_id, offset = coordinates_of(row.record)
        topic, partition = catalogue.place(partition_id)
        event_type, service = catalogue.pair(row.node)
        facts.append(
            Fact(
                topic=topic,
                partition=partition,
                offset=offset,
                part=row.part,
                event=row.event,
                cause=row.cause,
                type=event_type,
                service=service,
                time_us=row.time_us,
                timestamp_ms=row.timestamp_ms,
                key=row.key,
                record=row.record,
                tier=row.tier,
            )
        )
    return facts


def dump(held: Held) -> bytes:
    """Return the blob; facts are sorted already (`sort`), so that equal sets give equal blobs."""
    return _encode(held)


def sort(facts: list[Packed]) -> None:
    """Bring facts into the order of their records, which is how they are stored."""
    records = list(map(_record, facts))
    # Most are, and to see that costs a fifth of sorting them again.
    if not all(map(operator.lt, records, records[1:])):
        facts.sort(key=_place)


def load(blob: bytes | memoryview) -> Held:
    """Return what `dump` wrote."""
    return _decode(blob)
