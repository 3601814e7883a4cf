"""What a product's log holds, read from its database without the product's own code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import zstandard

Rows = Callable[[str], list[tuple[Any, ...]]]

# How many records there are, in rows and in blocks.
COUNT = (
    "SELECT (SELECT count(*) FROM tracing_record)"
    " + (SELECT COALESCE(SUM(records), 0) FROM tracing_recordblock)"
)
# How many events there are: what flows were made of, an event for each record that has one.
EVENTS = "SELECT COALESCE(SUM(records), 0) FROM tracing_flow"
_OFFSET_BITS = 44
_BLOCK = 32
_PARTITIONS = (
    "SELECT p.id, s.topic, p.number FROM tracing_partition p"
    " JOIN tracing_source s ON s.id = p.source_id"
)


def stored_count(rows: Rows) -> int:
    """Return how many records are stored."""
    return int(rows(COUNT)[0][0])


def stored_places(rows: Rows) -> list[tuple[str, int, int]]:
    """Return (topic, partition, offset) of every stored record, once for each time it is there."""
    ids = [row[0] for row in rows("SELECT id FROM tracing_record")]
    unpack = zstandard.ZstdDecompressor().decompress
    for (blob,) in rows("SELECT packed FROM tracing_recordblock"):
        ids += [row[0] for row in msgspec.msgpack.decode(unpack(bytes(blob)))]
    names = {number: (topic, partition) for number, topic, partition in rows(_PARTITIONS)}
    return [(*names[one >> _OFFSET_BITS], one & ((1 << _OFFSET_BITS) - 1)) for one in ids]


def stored_events(rows: Rows) -> set[tuple[int, int]]:
    """Return (position, record) of every event, whether it has a row or stands in a block.

    Of records with one event each.
    """
    found = {(row[0], row[1]) for row in rows("SELECT position, record FROM tracing_event")}
    for position, block, present, held in rows(
        "SELECT position, block, present, held FROM tracing_eventblock"
    ):
        offsets = [offset for offset in range(_BLOCK) if present >> offset & 1]
        found |= {
            (position + place, block * _BLOCK + offset)
            for place, offset in enumerate(offsets)
            if held >> offset & 1
        }
    return found


def check_events(rows: Rows, total: int) -> None:
    """Fail unless so many events are stored, each at a position and of a record of its own."""
    events = stored_events(rows)
    positions, records = {one for one, _ in events}, {one for _, one in events}
    assert (len(events), len(positions), len(records)) == (total, total, total)
