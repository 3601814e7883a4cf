"""Draw a saga: forward steps on the upper track, what undoes them mirrored on the lower one.

A step and its compensation stand in one column, joined by a dotted line that is no arrow: the one
did not cause the other. What caused what are the arrows: rightwards on the upper track, leftwards
on the lower one, and one curve where the saga turned back. Every wait has the same room, however
long it was: its length is told in words on the way. Steps in parallel stand side by side in a
frame.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tracing.drawing.graph import Frame, Pill
from tracing.drawing.saga_track import (
    BELOW,
    CARD_HEIGHT,
    CARD_WIDTH,
    Item,
    Placed,
    Plan,
    Stop,
    Track,
    Way,
)
from tracing.drawing.text import MONO, fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PILL_HEIGHT = 18
_PAD = 24
_GAP, _GAP_INSIDE = 40, 14
# Above the upper track stands its title, and within it that of a frame.
_TOP = 62
_BETWEEN = 62
_FRAME = 9
_FRAME_TITLE = 20
# How far right of a card the way back comes down.
_LANE = 20
_TITLE_SIZE, _NOTE_SIZE, _PILL_SIZE = 13, 11, 11
_TEXT_ROOM = CARD_WIDTH - 14 - 12
_SYMBOL = 20


def draw(plan: Plan) -> Track:
    """Lay out a saga. The same plan gives the same drawing; a ms at fifty steps."""
    upper = float(_TOP)
    columns, frames = _columns(plan.stops, upper)
    lower = upper + CARD_HEIGHT + _BETWEEN + (_FRAME if frames else 0)
    cards: dict[str, Placed] = {}

    def put(item: Item, column: int, *, below: bool = False) -> None:
        cards[item.id] = _placed(
            item, columns[column], lower if below else upper, column=column, lower=below
        )

    put(plan.start, 0)
    put(plan.cancelled, 0, below=True)
    for number, stop in enumerate(plan.stops, start=1):
        put(stop.step, number)
        if stop.undo is not None:
            put(stop.undo, number, below=True)
    put(plan.completed, len(plan.stops) + 1)
    back = list(_back(plan, cards))
    ways = [*_joints(plan, cards), *_forward(plan, cards), *back]
    passing = any(" Q" in way.path for way in back)
    return Track(
        width=columns[-1] + CARD_WIDTH + _PAD,
        height=lower + CARD_HEIGHT + (BELOW + 14 if passing else 30) + 4,
        cards=tuple(cards.values()),
        ways=tuple(ways),
        frames=tuple(frames),
        upper_y=upper,
        lower_y=lower,
        passing=passing,
    )


def _columns(stops: Sequence[Stop], upper: float) -> tuple[list[float], list[Frame]]:
    """Return the left edge of every column, start and end included, and the frames."""
    columns = [float(_PAD)]
    frames: list[Frame] = []
    x: float = _PAD + CARD_WIDTH
    for number, stop in enumerate(stops):
        beside = number > 0 and stops[number - 1].group == stop.group
        x += _GAP_INSIDE if beside else _GAP + _room(stop.wait)
        columns.append(float(x))
        x += CARD_WIDTH
        first = number
        while first > 0 and stops[first - 1].group == stop.group:
            first -= 1
        last = number + 1 == len(stops) or stops[number + 1].group != stop.group
        if last and first < number:
            left = columns[first + 1]
            frames.append(_frame(left, x - left, upper, number - first + 1))
    columns.append(float(x + _GAP))
    return columns, frames


def _frame(left: float, width: float, upper: float, count: int) -> Frame:
    return Frame(
        x=left - _FRAME,
        y=upper - _FRAME_TITLE - _FRAME + 4,
        width=width + 2 * _FRAME,
        height=CARD_HEIGHT + _FRAME_TITLE + 2 * _FRAME - 4,
        title=f"{count} in parallel",
    )


def _room(wait: str) -> float:
    """Return what a wait's label needs beyond the ordinary gap."""
    return max(0.0, _pill_width(wait) + 14 - _GAP) if wait else 0.0


def _pill_width(text: str) -> float:
    return round(len(text) * _PILL_SIZE * MONO + 14, 1)


def _placed(item: Item, x: float, y: float, *, column: int, lower: bool) -> Placed:
    return Placed(
        id=item.id,
        x=x,
        y=y,
        column=column,
        lower=lower,
        title=fit(item.title, _TITLE_SIZE, _TEXT_ROOM - _SYMBOL),
        note=fit(item.note, _NOTE_SIZE, _TEXT_ROOM),
    )


def _joints(plan: Plan, cards: dict[str, Placed]) -> Iterator[Way]:
    """Yield what joins each step to what undoes it: plain lines, from card to card."""
    pairs = [(plan.start, plan.cancelled)]
    pairs += [(stop.step, stop.undo) for stop in plan.stops if stop.undo is not None]
    for step, undo in pairs:
        above, below = cards[step.id], cards[undo.id]
        path = f"M{above.middle:g} {above.y + CARD_HEIGHT:g}V{below.y:g}"
        yield Way(kind="joint", source=step.id, target=undo.id, path=path, gone=undo.begun)


def _forward(plan: Plan, cards: dict[str, Placed]) -> Iterator[Way]:
    """Yield the arrows between groups; within a group nothing leads from one to the next."""
    stops = [Stop(step=plan.start, group=-1), *plan.stops, Stop(step=plan.completed, group=-2)]
    for one, other in pairwise(stops):
        if one.group == other.group:
            continue
        here, there = cards[one.step.id], cards[other.step.id]
        y = here.y + CARD_HEIGHT / 2
        begin, end = here.x + CARD_WIDTH, there.x
        pill = None
        if other.wait:
            wide = _pill_width(other.wait)
            pill = Pill(round((begin + end - wide) / 2 - 2, 1), y - 9, wide, other.wait)
        yield Way(
            kind="forward",
            source=one.step.id,
            target=other.step.id,
            path=f"M{begin:g} {y:g}H{end:g}",
            gone=other.step.begun,
            pill=pill,
        )


def _back(plan: Plan, cards: dict[str, Placed]) -> Iterator[Way]:
    """Yield the arrows of the way back, from where the saga turned."""
    begun = {item.id for item in _lower(plan) if item.begun}
    route = [name for name in plan.back if name in cards]
    if plan.turned in cards and route:
        here, there = cards[plan.turned or ""], cards[route[0]]
        yield Way(
            kind="back",
            source=here.id,
            target=there.id,
            path=_turn(here, there),
            gone=there.id in begun,
        )
    standing = {card.column for card in cards.values() if card.lower}
    for name, following in pairwise(route):
        here, there = cards[name], cards[following]
        low, high = sorted((here.column, there.column))
        clear = there.column < here.column and not standing & set(range(low + 1, high))
        path = _straight(here, there) if clear else _under(here, there)
        yield Way(kind="back", source=name, target=following, path=path, gone=following in begun)


def _lower(plan: Plan) -> Iterator[Item]:
    yield plan.cancelled
    yield from (stop.undo for stop in plan.stops if stop.undo is not None)


def _turn(here: Placed, there: Placed) -> str:
    """Return the way from a failed step down to the first compensation, between the cards."""
    into = there.y + CARD_HEIGHT / 2
    right = there.x + CARD_WIDTH
    lane = right + _LANE
    if here.column == there.column:
        # Half a step is undone: around its right side.
        level = here.y + CARD_HEIGHT - 14
        out = lane + 10
        return f"M{right:g} {level:g}C{out:g} {level:g} {out:g} {into:g} {right:g} {into:g}"
    forward = here.column < there.column
    begin = here.x + (CARD_WIDTH - 20 if forward else 20)
    bottom = here.y + CARD_HEIGHT
    # Along the free strip between the tracks, then down the gap behind the compensation.
    strip = bottom + 22
    turn = 10 if begin < lane else -10
    return (
        f"M{begin:g} {bottom:g}V{strip - 10:g}Q{begin:g} {strip:g} {begin + turn:g} {strip:g}"
        f"H{lane - turn:g}Q{lane:g} {strip:g} {lane:g} {strip + 10:g}V{into - 10:g}"
        f"Q{lane:g} {into:g} {lane - 10:g} {into:g}H{right:g}"
    )


def _straight(here: Placed, there: Placed) -> str:
    y = here.y + CARD_HEIGHT / 2
    return f"M{here.x:g} {y:g}H{there.x + CARD_WIDTH:g}"


def _under(here: Placed, there: Placed) -> str:
    """Return a path below the cards that stand between."""
    bottom = here.y + CARD_HEIGHT
    level = bottom + BELOW - 12
    inward = 10 if there.column < here.column else -10
    begin, end = here.middle - inward, there.middle + inward
    return (
        f"M{begin:g} {bottom:g} Q{begin:g} {level:g} {begin - inward:g} {level:g}"
        f"H{end + inward:g} Q{end:g} {level:g} {end:g} {bottom:g}"
    )
