"""The drawing of a flow: nothing overlaps, nothing is lost, the same input looks the same."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import pairs, picks, share
from tracing.drawing.compose import draw
from tracing.drawing.graph import CARD_HEIGHT, CARD_WIDTH, PILL_HEIGHT, Arrow, Drawing, Spot

Box = tuple[float, float, float, float]

NAMES = st.one_of(
    st.sampled_from(["OrderPlaced", "com.acme.orders.v1.OrderPlaced", "PAYMENT_FAILED", ""]),
    st.text(max_size=60),
)
MARKS = [(), (), ("duplicate",), ("duplicate", "out of order")]


def spot(number: int, **more: Any) -> Spot:
    """Return a spot with a name of its own."""
    usual = {"id": f"e{number}", "type": "OrderPlaced", "service": "order", "time_us": number}
    return Spot(**{**usual, **more})


@st.composite
def flows(draw_from: st.DrawFn, *, cyclic: bool = True) -> tuple[list[Spot], list[Arrow]]:
    """Return any flow: trees, fan-ins, cycles, loners, wide fan-outs."""
    count = draw_from(st.integers(1, 24))
    names = draw_from(st.lists(NAMES, min_size=1, max_size=5))
    latencies = draw_from(st.lists(st.integers(-(10**6), 10**13), min_size=1, max_size=5))
    looks = iter(draw_from(picks(3 * count, least=3 * count)))
    spots = [
        spot(
            number,
            type=names[next(looks) % len(names)],
            service=names[next(looks) % len(names)],
            marks=MARKS[next(looks) % len(MARKS)],
        )
        for number in range(count)
    ]
    links = draw_from(pairs(40, below=count))
    if draw_from(st.booleans()):
        links += [(0, number) for number in range(1, count)]
    if draw_from(st.booleans()):
        links = [*links[:4], *((number, number + 1) for number in range(count - 1))]
    if not cyclic:
        links = [(min(link), max(link)) for link in links]
    return spots, [
        Arrow(f"e{one}", f"e{other}", latencies[(one + index) % len(latencies)])
        for index, (one, other) in enumerate(links)
    ]


def boxes(drawing: Drawing) -> list[Box]:
    """Return what must not be covered: cards and their marks."""
    found: list[Box] = [(card.x, card.y, CARD_WIDTH, CARD_HEIGHT) for card in drawing.cards]
    found += [
        (card.marks.x, card.marks.y, card.marks.width, PILL_HEIGHT)
        for card in drawing.cards
        if card.marks
    ]
    return found


def labels(drawing: Drawing) -> list[Box]:
    """Return the latencies' labels."""
    pills = [edge.pill for edge in drawing.edges if edge.pill]
    return [(pill.x, pill.y, pill.width, float(PILL_HEIGHT)) for pill in pills]


def overlap(one: Box, other: Box) -> bool:
    """Tell whether two boxes share more than an edge."""
    x1, y1, width1, height1 = one
    x2, y2, width2, height2 = other
    return x1 < x2 + width2 and x2 < x1 + width1 and y1 < y2 + height2 and y2 < y1 + height1


def numbers(path: str) -> list[float]:
    """Return all coordinates of a path."""
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", path)]


@share(60)
@given(flows())
def test_it_never_covers_a_card_or_its_marks(flow: tuple[list[Spot], list[Arrow]]) -> None:
    drawing = draw(*flow)

    assert not [pair for pair in combinations(boxes(drawing), 2) if overlap(*pair)]
    for label in labels(drawing):
        assert not [box for box in boxes(drawing) if overlap(label, box)]
    assert not [pair for pair in combinations(labels(drawing), 2) if overlap(*pair)]


@share(60)
@given(flows())
def test_it_draws_every_event_inside_the_sheet(flow: tuple[list[Spot], list[Arrow]]) -> None:
    drawing = draw(*flow)

    assert [card.id for card in drawing.cards] == [spot.id for spot in flow[0]]
    for x, y, width, height in boxes(drawing) + labels(drawing):
        assert x >= 0
        assert y >= 0
        assert x + width <= drawing.width
        assert y + height <= drawing.height
    for edge in drawing.edges:
        assert all(
            0 <= number <= max(drawing.width, drawing.height) for number in numbers(edge.path)
        )


@share(60)
@given(flows(cyclic=False))
def test_it_leads_edges_from_left_to_right_or_into_the_next_row(
    flow: tuple[list[Spot], list[Arrow]],
) -> None:
    drawing = draw(*flow)
    corner = {card.id: card for card in drawing.cards}

    for edge in drawing.edges:
        start, *_, _end_y = numbers(edge.path)
        cause = corner[edge.cause]
        assert start == cause.x + CARD_WIDTH
        if edge.effect is not None:
            effect = corner[edge.effect]
            onward = effect.y > cause.y + CARD_HEIGHT and effect.x == min(
                x for x, *_ in boxes(drawing)
            )
            assert cause.x + CARD_WIDTH < effect.x or onward


@share(60)
@given(flows())
def test_it_is_deterministic_and_leads_an_edge_to_every_effect(
    flow: tuple[list[Spot], list[Arrow]],
) -> None:
    spots, arrows = flow

    drawing = draw(spots, arrows)

    assert drawing == draw(spots, arrows) == draw(spots, arrows + arrows)
    for card in drawing.cards:
        leading = {
            arrow.cause for arrow in arrows if arrow.effect == card.id and arrow.cause != card.id
        }
        assert set(card.causes) == leading
        assert {drawing.edges[number].cause for number in card.edges} == leading


@share(60)
@given(flows())
def test_frames_hold_nobody_elses_cards(flow: tuple[list[Spot], list[Arrow]]) -> None:
    drawing = draw(*flow)

    for frame in drawing.frames:
        box = (frame.x, frame.y, frame.width, frame.height)
        inside = [card for card in boxes(drawing) if overlap(box, card)]
        assert all(
            frame.x <= x and x + width <= frame.x + frame.width
            and frame.y <= y and y + height <= frame.y + frame.height
            for x, y, width, height in inside
        )  # fmt: skip
    frames = [(frame.x, frame.y, frame.width, frame.height) for frame in drawing.frames]
    assert not [pair for pair in combinations(frames, 2) if overlap(*pair)]


def chain(count: int) -> Drawing:
    return draw(
        [spot(number) for number in range(count)],
        [Arrow(f"e{number}", f"e{number + 1}", 40_000) for number in range(count - 1)],
    )


def test_a_short_chain_is_a_straight_line() -> None:
    drawing = chain(6)

    assert len({card.y for card in drawing.cards}) == 1
    assert drawing.height < 200
    assert [card.x for card in drawing.cards] == sorted(card.x for card in drawing.cards)


def test_a_long_chain_is_read_like_text() -> None:
    drawing = chain(13)

    assert [(card.y, card.x) for card in drawing.cards] == sorted(
        (card.y, card.x) for card in drawing.cards
    )
    assert [
        sum(card.y == y for card in drawing.cards)
        for y in sorted({card.y for card in drawing.cards})
    ] == [4, 4, 4, 1]
    assert drawing.width < 1_100
    assert len(drawing.edges) == 12
    assert all(edge.pill for edge in drawing.edges)


def test_a_chain_that_grows_keeps_the_rows_that_it_has() -> None:
    before, after = chain(13), chain(14)

    assert [(card.x, card.y) for card in after.cards[:13]] == [
        (card.x, card.y) for card in before.cards
    ]


def test_a_very_long_chain_keeps_about_the_shape_of_a_screen() -> None:
    drawing = chain(300)

    assert 1 < drawing.width / drawing.height < 3


def test_a_line_breaks_only_where_one_edge_alone_leads_on() -> None:
    # Two branches run side by side from the second event on, to the seventh.
    pairs = [
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
        (4, 5),
        (1, 6),
        (6, 7),
        (5, 8),
        (7, 8),
        (8, 9),
        (9, 10),
    ]

    drawing = draw(
        [spot(number) for number in range(11)], [Arrow(f"e{a}", f"e{b}", 1_000) for a, b in pairs]
    )

    first = {card.id for card in drawing.cards if card.y < drawing.cards[9].y}
    assert {"e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8"} <= first
    assert drawing.cards[9].x == drawing.cards[0].x


def test_a_wide_fan_out_stands_in_a_frame_that_fits_a_screen() -> None:
    drawing = draw(
        [spot(number) for number in range(201)],
        [Arrow("e0", f"e{number}", number * 1_000) for number in range(1, 201)],
    )

    [frame] = drawing.frames
    assert frame.title == "200 effects, 1 ms to 200 ms after"
    assert len(drawing.edges) == 1
    assert drawing.width < 3_000
    assert drawing.height < 1_600


def test_events_without_links_are_read_like_text() -> None:
    drawing = draw([spot(number) for number in range(7)], [])

    [frame] = drawing.frames
    assert frame.title == "7 events linked to no other, in order of time"
    assert [(card.y, card.x) for card in drawing.cards] == sorted(
        (card.y, card.x) for card in drawing.cards
    )


def test_one_event_stands_alone_without_a_frame() -> None:
    drawing = draw([spot(0)], [])

    assert drawing.frames == ()
    assert len(drawing.cards) == 1


def test_nothing_is_a_drawing_too() -> None:
    assert draw([], []).cards == ()


def test_the_edges_to_a_compensation_go_back() -> None:
    drawing = draw(
        [spot(0), spot(1, compensates=True), spot(2)],
        [Arrow("e0", "e1", 41_000), Arrow("e0", "e2", 6_000)],
    )

    assert {edge.effect: edge.back for edge in drawing.edges} == {"e1": True, "e2": False}


def test_two_events_that_name_each_other_as_cause_are_drawn() -> None:
    drawing = draw([spot(0), spot(1)], [Arrow("e0", "e1", 5), Arrow("e1", "e0", -5)])

    assert len(drawing.edges) == 2
    assert drawing.cards[0].x < drawing.cards[1].x


@pytest.mark.parametrize("count", [500])
def test_five_hundred_events_with_random_causes_are_drawn(count: int) -> None:
    drawing = draw(
        [spot(number) for number in range(count)],
        [Arrow(f"e{number * 7919 % number}", f"e{number}", 1_000) for number in range(1, count)],
    )

    assert len(drawing.cards) == count
