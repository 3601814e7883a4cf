"""Cards in a frame: a grid that is read like text."""

from __future__ import annotations

import math

import msgspec

from tracing.drawing.graph import CARD_HEIGHT, CARD_WIDTH, MARKS_GAP, MARKS_HEIGHT
from tracing.drawing.text import width

_PAD = 14
_TITLE = 26
_GAP_X, _GAP_Y = 14, 12


class Framed(msgspec.Struct, frozen=True, kw_only=True):
    """A frame's size and the corners of its members, from the frame's own corner."""

    width: float
    height: float
    title: str
    corners: dict[int, tuple[float, float]]


def grid(members: list[int], title: str, *, marks: bool) -> Framed:
    """Put members in rows, left to right, in a shape that fits a screen.

    Few stand in one row. `marks` makes room for marks below each card.
    """
    columns = max(min(len(members), 5), math.ceil(math.sqrt(len(members) * 0.7)))
    rows = math.ceil(len(members) / columns)
    step_x = CARD_WIDTH + _GAP_X
    step_y = CARD_HEIGHT + _GAP_Y + (MARKS_GAP + MARKS_HEIGHT if marks else 0)
    cards_width = columns * step_x - _GAP_X
    return Framed(
        width=2 * _PAD + max(cards_width, math.ceil(width(title, 12))),
        height=_TITLE + _PAD + rows * step_y - _GAP_Y,
        title=title,
        corners={
            member: (
                float(_PAD + place % columns * step_x),
                float(_TITLE + 4 + place // columns * step_y),
            )
            for place, member in enumerate(members)
        },
    )
