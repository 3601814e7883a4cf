"""A flow as an indented list: what a narrow screen and a screen reader get instead of the graph.

An effect is indented below its cause, so that what led to what can be seen. Only a chain that
nothing branches from stays on one level: there, below means after.
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
    """Return every event once, below its first cause.

    `spots` are sorted by time. Of several effects, that one stands first whose last consequence
    came first: a short side branch is not pushed behind a long one.
    """
    index = {spot.id: number for number, spot in enumerate(spots)}
    cause_of: dict[int, int] = {}
    for arrow in arrows:
        cause, effect = index.get(arrow.cause), index.get(arrow.effect)
        if cause is not None and effect is not None and cause != effect:
            cause_of.setdefault(effect, cause)
    effects: dict[int, list[int]] = {}
    for effect in sorted(cause_of):
        effects.setdefault(cause_of[effect], []).append(effect)
    seen: set[int] = set()
    walked: list[tuple[int, int]] = []
    # Those without a cause begin; what is left after them stands in a circle.
    for start in [
        *(number for number in range(len(spots)) if number not in cause_of),
        *index.values(),
    ]:
        if start not in seen:
            walked += _branch(start, effects, seen)
    lines = []
    for place, (spot, level) in enumerate(walked):
        following = walked[place + 1][1] if place + 1 < len(walked) else 0
        lines.append(
            Line(spot, cause_of.get(spot), level, following > level, max(level - following, 0))
        )
    return lines


def _branch(start: int, effects: dict[int, list[int]], seen: set[int]) -> list[tuple[int, int]]:
    """Return what follows from one event as (spot, level); `seen` takes it all up."""
    reached, below = _reach(start, effects, seen)
    ends: dict[int, int] = {}
    for spot in reversed(reached):
        ends[spot] = max([spot, *(ends[effect] for effect in below[spot])])
        below[spot].sort(key=lambda effect: (ends[effect], effect))
    if all(len(found) < 2 for found in below.values()):
        return [(spot, 0) for spot in reached]
    walked = []
    stack = [(start, 0)]
    while stack:
        spot, level = stack.pop()
        walked.append((spot, level))
        deeper = min(level + 1, MAX_LEVEL)
        stack.extend((effect, deeper) for effect in reversed(below[spot]))
    return walked


def _reach(
    start: int, effects: dict[int, list[int]], seen: set[int]
) -> tuple[list[int], dict[int, list[int]]]:
    """Return what follows from an event, causes first, and each one's own effects."""
    seen.add(start)
    reached = [start]
    below: dict[int, list[int]] = {}
    for spot in reached:
        below[spot] = [effect for effect in effects.get(spot, []) if effect not in seen]
        seen.update(below[spot])
        reached.extend(below[spot])
    return reached, below
