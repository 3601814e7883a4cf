"""Draw a flow: from events and links to cards, edges and frames with coordinates.

Connected parts stand below each other in the order of their first events. Two shapes that would
make no readable picture get a frame: many effects of one cause that lead nowhere, and events that
are linked to no other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tracing.drawing.corridors import Corridors, around, curve, label_width
from tracing.drawing.durations import duration, offset
from tracing.drawing.framed import Framed, grid
from tracing.drawing.graph import (
    CARD_HEIGHT,
    CARD_WIDTH,
    MARKS_GAP,
    MARKS_HEIGHT,
    PILL_HEIGHT,
    Arrow,
    Card,
    Drawing,
    Pill,
    Spot,
)
from tracing.drawing.layers import Block, Link, blocks
from tracing.drawing.sheet import Sheet
from tracing.drawing.text import MONO, fit, fit_name, width
from tracing.drawing.wrapping import Row, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

# From so many effects on that lead nowhere, a cause's effects stand in a frame.
BROOD = 13
_PAD = 24
_GAP = 44
_FRAME_GAP = 62
# Between two rows of one part: the edge that joins them, with its label.
_LANE = 32
_MARKS = MARKS_GAP + MARKS_HEIGHT
# Inside a card: from the left edge to the text, from the text to the right edge.
_INSET, _OUTSET = 14, 12
_SYMBOL = 18
_INITIALS = 22


def draw(spots: Sequence[Spot], arrows: Sequence[Arrow]) -> Drawing:
    """Lay out a flow; `spots` are sorted by time and place, ids are distinct.

    Arrows to unknown events, to themselves and repeated ones are left out. The same input gives
    the same drawing. Cost: a few ms at 500 events.
    """
    index = {spot.id: number for number, spot in enumerate(spots)}
    latency: dict[Link, int] = {}
    for arrow in arrows:
        cause, effect = index.get(arrow.cause), index.get(arrow.effect)
        if cause is not None and effect is not None and cause != effect:
            latency.setdefault((cause, effect), arrow.latency_us)
    sheet = Sheet(spots, latency)
    bottom = _draw_parts(sheet)
    _draw_loners(sheet, bottom)
    return _finish(sheet)


def _draw_parts(sheet: Sheet) -> float:
    """Draw all connected parts; return where the next one would begin."""
    broods = _broods(list(sheet.latency))
    framed = {(cause, effect) for cause, members in broods.items() for effect in members}
    links = [link for link in sheet.latency if link not in framed]
    parts = blocks(links)
    linked = {node for link in links for node in link}
    parts += [Block({cause: (0, 0.0)}, {}) for cause in broods if cause not in linked]
    y = float(_PAD)
    for block in sorted(parts, key=lambda block: min(block.places)):
        own = {cause: broods[cause] for cause in broods if cause in block.places}
        # A frame hangs on its cause's place in the whole.
        held = [Row(block, None)] if own else rows(block)
        y = _draw_rows(sheet, held, own, y) + _GAP
    return y


def _draw_rows(sheet: Sheet, held: list[Row], broods: dict[int, list[int]], top: float) -> float:
    """Draw a connected part below `top`; return its lower end."""
    labels: dict[int, float] = {}
    for row in held:
        _make_room(sheet, row.block, labels)
    ends = []
    for row in held:
        ends.append(_draw_part(sheet, row.block, labels, broods, top))
        top = ends[-1] + _LANE
    for row, end in zip(held, ends, strict=True):
        if row.onward is not None:
            _lead_on(sheet, row.onward, end + _LANE - PILL_HEIGHT)
    return ends[-1]


def _make_room(sheet: Sheet, block: Block, labels: dict[int, float]) -> None:
    """Widen the corridors behind ranks to the labels that stand there."""
    for link, way in block.ways.items():
        for one, other in (way[:2], way[-2:]):
            rank = min(one[0], other[0])
            needed = label_width(duration(sheet.latency[link]))
            labels[rank] = max(labels.get(rank, 0), needed)


def _lead_on(sheet: Sheet, link: Link, lane: float) -> None:
    """Draw the edge from a row's last card to the next row's first one, between the rows."""
    cause, effect = link
    half = CARD_HEIGHT / 2
    from_x, from_y = sheet.corners[cause]
    into_x, into_y = sheet.corners[effect]
    right = from_x + CARD_WIDTH
    text = duration(sheet.latency[link])
    wide = label_width(text)
    pill = Pill(round((right + into_x - wide) / 2, 1), round(lane - PILL_HEIGHT / 2, 1), wide, text)
    path = around((right, from_y + half), (into_x, into_y + half), lane)
    sheet.add_edge(cause, [effect], path, pill)


def _broods(links: list[Link]) -> dict[int, list[int]]:
    """Return the causes with many effects that have no other cause and no effect."""
    causes = Counter(effect for _, effect in links)
    leading = {cause for cause, _ in links}
    leaves = defaultdict(list)
    for cause, effect in links:
        if effect not in leading and causes[effect] == 1:
            leaves[cause].append(effect)
    return {cause: sorted(members) for cause, members in leaves.items() if len(members) >= BROOD}


def _draw_part(
    sheet: Sheet,
    block: Block,
    labels: dict[int, float],
    broods: dict[int, list[int]],
    top: float,
) -> float:
    """Draw one row below `top`; return its lower end."""
    ranks = 1 + max(rank for rank, _ in block.places.values())
    corridors = Corridors(ranks, labels)
    frames = _place_frames(sheet, block, broods, corridors)
    # Frames beside their cause may stand higher than any card.
    lift = top - min([0.0, *(y for _, _, y, _ in frames)])
    half = CARD_HEIGHT / 2
    for node, (rank, y) in block.places.items():
        sheet.corners[node] = (_PAD + corridors.column(rank), lift + y)
    for link, way in block.ways.items():
        pill = corridors.label(way, sheet.latency[link])
        path = curve(
            [
                (_PAD + x1, lift + half + y1, _PAD + x2, lift + half + y2)
                for x1, y1, x2, y2 in corridors.path(way)
            ]
        )
        sheet.add_edge(link[0], [link[1]], path, _moved(pill, _PAD, lift + half))
    points = [*block.places.values(), *(point for way in block.ways.values() for point in way)]
    bottom = lift + max(y for _, y in points) + CARD_HEIGHT + _MARKS
    for cause, framed, y, x in frames:
        rank, from_y = block.places[cause]
        right = _PAD + corridors.column(rank) + CARD_WIDTH
        into = lift + y + min(half, framed.height / 2)
        path = curve([(right, lift + half + from_y, _PAD + x, into)])
        sheet.add_edge(cause, broods[cause], path, None)
        sheet.add_frame(framed, _PAD + x, lift + y)
        bottom = max(bottom, lift + y + framed.height)
    sheet.bottom = bottom
    return bottom


def _place_frames(
    sheet: Sheet, block: Block, broods: dict[int, list[int]], corridors: Corridors
) -> list[tuple[int, Framed, float, float]]:
    """Return (cause, frame, y, x): beside its cause if nothing else is there, else below.

    The deepest cause's frame comes first: the way to the next one passes at its left.
    """
    placed: list[tuple[int, Framed, float, float]] = []
    for cause in sorted(broods, key=lambda cause: (-block.places[cause][0], cause)):
        rank, y = block.places[cause]
        framed = grid(
            broods[cause],
            _frame_title(sheet, cause, broods[cause]),
            marks=any(sheet.spots[member].marks for member in broods[cause]),
        )
        x = corridors.column(rank) + CARD_WIDTH + _FRAME_GAP
        # Everything that stands or passes right of the cause, and the frames put so far.
        ends = [
            there + CARD_HEIGHT + _MARKS
            for way in [*block.ways.values(), *((place,) for place in block.places.values())]
            for at, there in way
            if at > rank
        ]
        ends += [frame_y + other.height for _, other, frame_y, _ in placed]
        if ends:
            top = max(*ends, y + CARD_HEIGHT + _MARKS) + _GAP / 2
        else:
            top = y + CARD_HEIGHT / 2 - min(framed.height / 2, 400)
        placed.append((cause, framed, top, x))
    return placed


def _frame_title(sheet: Sheet, cause: int, members: list[int]) -> str:
    delays = [sheet.latency[cause, member] for member in members]
    return f"{len(members)} effects, {duration(min(delays))} to {duration(max(delays))} after"


def _draw_loners(sheet: Sheet, top: float) -> None:
    """Put the events that are linked to no other, in order of time."""
    loners = [number for number in range(len(sheet.spots)) if number not in sheet.corners]
    if not loners:
        return
    if len(sheet.spots) == 1:
        sheet.corners[0] = (_PAD, _PAD)
        return
    noun = "event" if len(loners) == 1 else "events"
    title = f"{len(loners)} {noun} linked to no other, in order of time"
    marks = any(sheet.spots[number].marks for number in loners)
    sheet.add_frame(grid(loners, title, marks=marks), _PAD, top)


def _moved(pill: Pill | None, x: float, y: float) -> Pill | None:
    return pill and Pill(pill.x + x, round(pill.y + y, 1), pill.width, pill.text)


def _finish(sheet: Sheet) -> Drawing:
    """Make the cards and measure the whole."""
    first = min((spot.time_us for spot in sheet.spots), default=0)
    causes: dict[int, list[str]] = defaultdict(list)
    for cause, effect in sheet.latency:
        causes[effect].append(sheet.spots[cause].id)
    cards = tuple(
        _card(spot, *sheet.corners[number], first, causes[number], sheet.edges_to[number])
        for number, spot in enumerate(sheet.spots)
    )
    boxes = [(card.x + CARD_WIDTH, card.y + CARD_HEIGHT) for card in cards]
    boxes += [
        (pill.x + pill.width, pill.y + MARKS_HEIGHT) for card in cards if (pill := card.marks)
    ]
    # A long edge may pass below all cards.
    boxes.append((0.0, sheet.bottom - _MARKS))
    boxes += [(frame.x + frame.width, frame.y + frame.height) for frame in sheet.frames]
    return Drawing(
        width=max((x for x, _ in boxes), default=0.0) + _PAD,
        height=max((y for _, y in boxes), default=0.0) + _PAD,
        cards=cards,
        edges=tuple(sheet.edges),
        frames=tuple(sheet.frames),
    )


def _card(spot: Spot, x: float, y: float, first: int, causes: list[str], edges: list[int]) -> Card:
    room = CARD_WIDTH - _INSET - _OUTSET
    time = offset(spot.time_us - first)
    marks = None
    if spot.marks:
        label = fit(" · ".join(spot.marks), 11, CARD_WIDTH - 24).text
        wide = min(round(width(label, 11) + 16, 1), CARD_WIDTH - 8)
        marks = Pill(x + 8, y + CARD_HEIGHT + MARKS_GAP, wide, label)
    return Card(
        id=spot.id,
        x=x,
        y=y,
        title=fit_name(spot.type, 13, room - _SYMBOL),
        service=fit(spot.service, 11, room - _INITIALS - 8 - len(time) * 11 * MONO),
        time=time,
        marks=marks,
        causes=tuple(causes),
        edges=tuple(edges),
    )
