"""A long line of events is broken into rows, as text is: where one edge alone leads on."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from tracing.drawing.layers import Block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracing.drawing.layers import Link, Point

# So many columns stand in one line: more are read at half their size, or not at all.
LINE = 6
# So many columns a row has at least.
ROW = 4


class Row(msgspec.Struct, frozen=True):
    """A part of a block, with ranks and heights of its own, and the link that leads on from it."""

    block: Block
    onward: Link | None


def rows(block: Block) -> list[Row]:
    """Return a block as rows from top to bottom; a short one, and one without a place to break.

    Rows are filled one after the other, so that a flow that grows keeps those that it has. Very
    many columns make longer rows, so that the whole keeps about the shape of a screen.
    """
    ranks = 1 + max(rank for rank, _ in block.places.values())
    breaks = _breaks(block, ranks) if ranks > LINE else {}
    size = max(ROW, math.ceil(math.sqrt(0.8 * ranks)))
    found: list[Row] = []
    start = 0
    while ranks - start > size:
        # The last place within the row, else the first one behind it.
        within = [at for at in breaks if start < at <= start + size]
        at = max(within) if within else min((at for at in breaks if at > start), default=None)
        if at is None:
            break
        found.append(Row(_part(block, range(start, at)), breaks[at]))
        start = at
    return [*found, Row(_part(block, range(start, ranks)), None)]


def _breaks(block: Block, ranks: int) -> dict[int, Link]:
    """Return the ranks before which one link alone leads on, from a card to the next one."""
    # How many more links lead into a rank than into the one before: long ones pass many.
    changes = [0] * (ranks + 1)
    for way in block.ways.values():
        first, last = sorted((way[0][0], way[-1][0]))
        changes[first + 1] += 1
        changes[last + 1] -= 1
    crossing = list(accumulate(changes))
    return {
        way[-1][0]: link
        for link, way in block.ways.items()
        if way[0][0] + 1 == way[-1][0] and crossing[way[-1][0]] == 1
    }


def _part(block: Block, ranks: range) -> Block:
    """Return what stands in these ranks."""
    ways = {link: way for link, way in block.ways.items() if all(rank in ranks for rank, _ in way)}
    places = {node: place for node, place in block.places.items() if place[0] in ranks}
    top = min(y for _, y in _points(places.values(), ways.values()))

    def moved(point: Point) -> Point:
        return point[0] - ranks.start, round(point[1] - top, 1)

    return Block(
        {node: moved(place) for node, place in places.items()},
        {link: tuple(moved(point) for point in way) for link, way in ways.items()},
    )


def _points(places: Iterable[Point], ways: Iterable[tuple[Point, ...]]) -> Iterator[Point]:
    yield from places
    for way in ways:
        yield from way
