"""The corridors between columns: as wide as their widest label, which stands in their middle.

Cards never stand in a corridor, so a label there never covers one.
"""

from __future__ import annotations

import math
from itertools import pairwise

from tracing.drawing.durations import duration
from tracing.drawing.graph import CARD_WIDTH, PILL_HEIGHT, Pill
from tracing.drawing.layers import Point
from tracing.drawing.text import MONO

_XY = tuple[float, float]

_MIN_WIDTH = 62
# Between a label and the cards at its sides.
_SIDE = 7
_LABEL_GAP = 3
# How round the corners are of an edge that leads to another row; twice that beside the cards.
_BEND = 6
_LABEL_SIZE = 11
# Where along its way a label may stand, best first: nearer to the effect, which it tells about.
_TRIES = (0.5, 0.64, 0.36, 0.78, 0.9, 1.0, 0.22, 0.1, 0.0)


def label_width(text: str) -> int:
    """Return the width of a label in the small monospaced font."""
    return math.ceil(len(text) * _LABEL_SIZE * MONO + 14)


class Corridors:
    """The columns of one block and the gaps between them, in px from its left side."""

    def __init__(self, ranks: int, labels: dict[int, float]) -> None:
        """Make room for `ranks` columns; `labels` has the widest label behind each rank."""
        self._widths = [max(_MIN_WIDTH, labels.get(rank, 0) + 2 * _SIDE) for rank in range(ranks)]
        self._starts = [0.0]
        for gap in self._widths:
            self._starts.append(self._starts[-1] + CARD_WIDTH + gap)
        self._taken: dict[int, list[float]] = {}

    def column(self, rank: int) -> float:
        """Return where a rank's cards begin."""
        return self._starts[rank]

    def path(self, way: tuple[Point, ...]) -> list[tuple[float, float, float, float]]:
        """Return the crossings of a way as (x, y, x, y), in its direction."""
        return [
            (self._right(one), one_y, self._starts[other], other_y)
            if one < other
            else (self._starts[one], one_y, self._right(other), other_y)
            for (one, one_y), (other, other_y) in pairwise(way)
        ]

    def _right(self, rank: int) -> float:
        return self._starts[rank] + CARD_WIDTH

    def label(self, way: tuple[Point, ...], latency_us: int) -> Pill | None:
        """Return a label on the way's last or first crossing; None if all places are taken."""
        text = duration(latency_us)
        width = label_width(text)
        for one, other in (way[:2], way[-2:]):
            rank = min(one[0], other[0])
            taken = self._taken.setdefault(rank, [])
            for part in _TRIES:
                y = one[1] + (other[1] - one[1]) * part
                if all(abs(y - there) >= PILL_HEIGHT + _LABEL_GAP for there in taken):
                    taken.append(y)
                    middle = self._right(rank) + self._widths[rank] / 2
                    left = round(middle - width / 2, 1)
                    return Pill(left, round(y - PILL_HEIGHT / 2, 1), width, text)
        return None


def curve(crossings: list[tuple[float, float, float, float]]) -> str:
    """Return an SVG path: level through the columns, an S through each corridor."""
    parts: list[str] = []
    for x1, y1, x2, y2 in crossings:
        parts.append(f"{'L' if parts else 'M'}{_n(x1)},{_n(y1)}")
        if y1 == y2:
            parts.append(f"H{_n(x2)}")
        else:
            bend = (x1 + x2) / 2
            parts.append(f"C{_n(bend)},{_n(y1)} {_n(bend)},{_n(y2)} {_n(x2)},{_n(y2)}")
    return "".join(parts)


def around(start: _XY, end: _XY, lane: float) -> str:
    """Return an SVG path from a row's end to the next row's beginning, along the lane between."""
    (x1, y1), (x2, y2) = start, end
    right, left, bend = x1 + 2 * _BEND, x2 - 2 * _BEND, _BEND
    points = [(x1, y1), (right, y1), (right, lane), (left, lane), (left, y2), (x2, y2)]
    parts = [f"M{_n(x1)},{_n(y1)}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        into, out = _short_of(here, before, bend), _short_of(here, after, bend)
        parts.append(f"L{_n(into[0])},{_n(into[1])}")
        parts.append(f"Q{_n(here[0])},{_n(here[1])} {_n(out[0])},{_n(out[1])}")
    return "".join([*parts, f"L{_n(x2)},{_n(y2)}"])


def _short_of(corner: _XY, other: _XY, by: float) -> _XY:
    """Return the point so far before a corner, on the level or upright way from another one."""
    (x, y), (other_x, other_y) = corner, other
    return (
        x + math.copysign(min(by, abs(other_x - x)), other_x - x),
        y + math.copysign(min(by, abs(other_y - y)), other_y - y),
    )


def _n(value: float) -> str:
    return f"{value:g}" if abs(value) < 1e5 else f"{value:.1f}"
