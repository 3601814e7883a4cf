"""A flow's facts as a blob: one MessagePack array, catalogue numbers instead of names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.domain.derive import Sums
from tracing.domain.facts import Fact
from tracing.models.source import coordinates_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.projections.catalogue import Catalogue

# (record, part, event, cause, node, time_us, timestamp_ms, key)
Packed = tuple[int, int, bytes, bytes | None, int, int, int, int | None]


class Held(msgspec.Struct, array_like=True):
    """What a flow holds: its facts, or, above `derive.LARGE` of them, only their sums."""

    facts: list[Packed]
    sums: Sums | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Held).decode


def pack(fact: Fact, node: int) -> Packed:
    """Return the stored form of a fact."""
    return (
        fact.record,
        fact.part,
        fact.event,
        fact.cause,
        node,
        fact.time_us,
        fact.timestamp_ms,
        fact.key,
    )


def unpack(packed: Iterable[Packed], catalogue: Catalogue) -> list[Fact]:
    """Return facts from their stored form. Reads names that are not in memory yet."""
    rows = list(packed)
    catalogue.pairs(row[4] for row in rows)
    facts = []
    for record, part, event, cause, node, time_us, timestamp_ms, key in rows:
        partition_id, offset = coordinates_of(record)
        topic, partition = catalogue.place(partition_id)
        event_type, service = catalogue.pair(node)
        facts.append(
            Fact(
                topic=topic,
                partition=partition,
                offset=offset,
                part=part,
                event=event,
                cause=cause,
                type=event_type,
                service=service,
                time_us=time_us,
                timestamp_ms=timestamp_ms,
                key=key,
                record=record,
            )
        )
    return facts


def dump(held: Held) -> bytes:
    """Return the blob; facts are sorted, so that equal sets give equal blobs."""
    held.facts.sort(key=lambda row: row[:2])
    return _encode(held)


def load(blob: bytes | memoryview) -> Held:
    """Return what `dump` wrote."""
    return _decode(blob)
