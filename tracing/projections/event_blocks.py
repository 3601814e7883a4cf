"""Where the events of blocks are: a position leads to a record, and a record to a position."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import connection

from tracing.projections.bulk import Columns
from tracing.projections.plain_sql import among, chunks, select
from tracing.projections.record_rows import BLOCK, BLOCK_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

BLOCKS = Columns(
    "tracing_eventblock",
    (("position", "int8"), ("block", "int8"), ("present", "int8"), ("held", "int8")),
)
_OFFSETS = BLOCK - 1
# The blocks in which these positions are, if they are in one.
_HOLDING = """
position IN (
    SELECT (SELECT MAX(position) FROM tracing_eventblock WHERE position <= column1)
    FROM (VALUES {}) AS wanted
)
"""
_REMOVE = "UPDATE tracing_eventblock SET held = held & ~%s WHERE block = %s"
_FORGET = "DELETE FROM tracing_eventblock WHERE block = %s AND held = 0"


class Block(msgspec.Struct, frozen=True, gc=False):
    """Where the events of a block of records are: a row of `EventBlock`."""

    position: int
    block: int
    present: int
    held: int

    def place_of(self, record: int) -> int | None:
        """Return the position of a record's event, None if it is not there."""
        bit = 1 << (record & _OFFSETS)
        return self.position + (self.present & bit - 1).bit_count() if self.held & bit else None

    def places(self) -> list[tuple[int, int]]:
        """Return (record, position) of each event that is still there, in order."""
        first = self.block << BLOCK_BITS
        offsets = [bit for bit in range(BLOCK) if self.present >> bit & 1]
        return [
            (first | bit, self.position + at)
            for at, bit in enumerate(offsets)
            if self.held >> bit & 1
        ]


def find(condition: str, parameters: Iterable[Any]) -> list[Block]:
    """Return blocks. The condition may end in an order and a limit."""
    rows = select(Block.__struct_fields__, "tracing_eventblock", condition, parameters)
    return [Block(*row) for row in rows]


def places(blocks: Iterable[Block], wanted: Callable[[int, int], bool]) -> dict[int, int]:
    """Return the positions of events by record, of those that are wanted (record, position)."""
    return {
        record: position
        for block in blocks
        for record, position in block.places()
        if wanted(record, position)
    }


def at(positions: Collection[int]) -> dict[int, int]:
    """Return the positions by record, of events that are at these positions."""
    every = sorted(positions)
    if every and every[-1] - every[0] < BLOCK * len(every):
        found = find("position > %s AND position <= %s", (every[0] - BLOCK, every[-1]))
    else:
        found = [
            block
            for chunk in chunks(every)
            for block in find(_HOLDING.format(", ".join(["(%s)"] * len(chunk))), chunk)
        ]
    wanted = set(positions)
    return places(found, lambda _, position: position in wanted)


def of_records(records: Collection[int]) -> dict[int, int]:
    """Return the positions of the events of these records, by record."""
    wanted: dict[int, list[int]] = defaultdict(list)
    for record in records:
        wanted[record >> BLOCK_BITS].append(record)
    return {
        record: position
        for chunk in chunks(wanted)
        for block in find(among("block", chunk), chunk)
        for record in wanted[block.block]
        if (position := block.place_of(record)) is not None
    }


def between_records(first: int, last: int) -> dict[int, int]:
    """Return the positions of the events of the records from `first` to `last`, by record."""
    found = find("block BETWEEN %s AND %s", (first >> BLOCK_BITS, last >> BLOCK_BITS))
    return places(found, lambda record, _: first <= record <= last)


def remove(records: Collection[int]) -> None:
    """Forget the events of these records, which are removed, where they stand in blocks."""
    gone: dict[int, int] = defaultdict(int)
    for record in records:
        gone[record >> BLOCK_BITS] |= 1 << (record & _OFFSETS)
    with connection.cursor() as cursor:
        cursor.executemany(_REMOVE, [(mask, block) for block, mask in sorted(gone.items())])
        cursor.executemany(_FORGET, [(block,) for block in sorted(gone)])
