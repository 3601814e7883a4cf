"""A flow as an indented list: what a narrow screen and a screen reader get instead of the graph.

A chain stays on one level, only a cause with several effects indents them, so that three hundred
steps in a row do not run out of the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.drawing.graph import Arrow, Spot

# Browsers flatten what is nested some 500 deep, and people lose track long before.
MAX_LEVEL = 8


class Line(msgspec.Struct, frozen=True):
    """One event of the list: which spot, how deep, and what its markup opens and closes.

    `cause` is the index of the line's cause, None for a beginning. `opens` a list below this
    line, or `closes` that many before the next one.
    """

    spot: int
    cause: int | None
    level: int
    opens: bool
    closes: int


def outline(spots: Sequence[Spot], arrows: Sequence[Arrow]) -> list[Line]:
    """Return every event once, below its first cause, in the order of the spots."""
    index = {spot.id: number for number, spot in enumerate(spots)}
    cause_of: dict[int, int] = {}
    for arrow in arrows:
        cause, effect = index.get(arrow.cause), index.get(arrow.effect)
        if cause is not None and effect is not None and cause != effect:
            cause_of.setdefault(effect, cause)
    effects: dict[int, list[int]] = {}
    for effect in sorted(cause_of):
        effects.setdefault(cause_of[effect], []).append(effect)
    walked: list[tuple[int, int]] = []
    seen: set[int] = set()
    # Those without a cause begin; what is left after them stands in a circle.
    for start in [
        *(number for number in range(len(spots)) if number not in cause_of),
        *index.values(),
    ]:
        _walk(start, effects, walked, seen)
    lines = []
    for place, (spot, level) in enumerate(walked):
        following = walked[place + 1][1] if place + 1 < len(walked) else 0
        lines.append(
            Line(spot, cause_of.get(spot), level, following > level, max(level - following, 0))
        )
    return lines


def _walk(
    start: int, effects: dict[int, list[int]], walked: list[tuple[int, int]], seen: set[int]
) -> None:
    stack = [(start, 0)]
    while stack:
        spot, level = stack.pop()
        if spot in seen:
            continue
        seen.add(spot)
        walked.append((spot, level))
        below = effects.get(spot, [])
        deeper = min(level + (len(below) > 1), MAX_LEVEL)
        stack.extend((effect, deeper) for effect in reversed(below))
