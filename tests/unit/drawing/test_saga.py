"""A saga as two tracks: what holds whatever is drawn."""

from __future__ import annotations

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import picks, share
from tracing.drawing.folding import MAX_TELLING, MAX_UNFOLDED, OPENED, spans
from tracing.drawing.saga import draw
from tracing.drawing.saga_track import CARD_HEIGHT, CARD_WIDTH, Item, Plan, Stop, Track, Way

START = Item(id="start", title="Order placed", note="PENDING", begun=True)
DONE = Item(id="completed", title="COMPLETED", note="not reached")
CANCELLED = Item(id="cancelled", title="CANCELLED", note="")


def stop(name: str, group: int, *, undo: bool = True, begun: bool = True, wait: str = "") -> Stop:
    return Stop(
        step=Item(id=f"step-{name}", title=name, note="", begun=begun),
        group=group,
        wait=wait,
        undo=Item(id=f"undo-{name}", title=f"Undo {name}", note="", begun=begun) if undo else None,
    )


def plan(*stops: Stop, back: tuple[str, ...] = (), turned: str | None = None) -> Plan:
    return Plan(
        start=START, stops=stops, completed=DONE, cancelled=CANCELLED, back=back, turned=turned
    )


def ways(track: Track, kind: str) -> dict[tuple[str, str], Way]:
    return {(way.source, way.target): way for way in track.ways if way.kind == kind}


def test_a_compensation_stands_below_its_step_joined_without_an_arrow() -> None:
    track = draw(plan(stop("stock", 0), stop("payment", 1, undo=False)))

    cards = {card.id: card for card in track.cards}
    assert cards["undo-stock"].x == cards["step-stock"].x
    assert cards["undo-stock"].y > cards["step-stock"].y + CARD_HEIGHT
    assert set(ways(track, "joint")) == {("start", "cancelled"), ("step-stock", "undo-stock")}


def test_the_way_forward_leads_right_and_the_way_back_left() -> None:
    back = ("undo-payment", "undo-stock", "cancelled")
    track = draw(
        plan(
            stop("stock", 0),
            stop("payment", 1),
            stop("shipment", 2, undo=False),
            back=back,
            turned="step-shipment",
        )
    )

    cards = {card.id: card for card in track.cards}
    for source, target in ways(track, "forward"):
        assert cards[source].x < cards[target].x
    assert list(ways(track, "back")) == [
        ("step-shipment", "undo-payment"),
        ("undo-payment", "undo-stock"),
        ("undo-stock", "cancelled"),
    ]
    assert not any(" Q" in way.path for way in track.ways)


def test_a_way_back_in_the_wrong_order_passes_below_the_cards() -> None:
    wrong = ("undo-stock", "undo-payment", "cancelled")
    track = draw(plan(stop("stock", 0), stop("payment", 1), back=wrong))

    assert all(" Q" in way.path for way in ways(track, "back").values())
    deepest = max(float(y) for way in track.ways for y in re.findall(r"Q\S+ ([\d.]+)", way.path))
    assert deepest < track.lower_title - 12
    assert track.lower_title < track.height


def test_steps_in_parallel_stand_in_a_frame_and_lead_to_none_of_each_other() -> None:
    track = draw(plan(stop("flight", 0), stop("hotel", 0), stop("car", 1)))

    assert [frame.title for frame in track.frames] == ["2 in parallel"]
    assert ("step-flight", "step-hotel") not in ways(track, "forward")
    assert ("step-hotel", "step-car") in ways(track, "forward")


def test_a_wait_of_days_takes_no_more_room_than_its_words() -> None:
    track = draw(plan(stop("stock", 0), stop("payment", 1, wait="waited 2 d 4 h")))

    way = ways(track, "forward")["step-stock", "step-payment"]
    assert way.pill is not None
    assert way.pill.text == "waited 2 d 4 h"
    assert track.width < 4 * CARD_WIDTH + 300


# Whether a group begins, whether there is a way back, and what was waited for.
waits = st.lists(st.text(max_size=8), min_size=4, max_size=4)
shapes = st.builds(
    lambda told, bits: [(bool(one & 1), bool(one & 2), told[one >> 6]) for one in bits],
    waits,
    st.binary(max_size=40),
)


@share(40)
@given(shapes, st.randoms(use_true_random=False))
def test_nothing_overlaps_or_lies_outside(shape: list[tuple[bool, bool, str]], dice) -> None:  # type: ignore[no-untyped-def]
    groups = itertools.accumulate(int(fresh) for fresh, _, _ in shape)
    stops = [
        stop(str(number), group, undo=undo, wait=wait)
        for number, (group, (_, undo, wait)) in enumerate(zip(groups, shape, strict=True))
    ]
    back = [one.undo.id for one in stops if one.undo]
    dice.shuffle(back)
    turned = stops[-1].step.id if stops else None
    track = draw(plan(*stops, back=(*back, "cancelled"), turned=turned))

    assert len({card.id for card in track.cards}) == len(track.cards)
    for lower in (False, True):
        row = sorted(card.x for card in track.cards if card.lower is lower)
        assert all(other - one > CARD_WIDTH for one, other in itertools.pairwise(row))
    assert all(card.x >= 0 and card.x + CARD_WIDTH < track.width for card in track.cards)
    assert all(card.y + CARD_HEIGHT < track.height for card in track.cards)
    assert all(frame.x > 0 and frame.x + frame.width < track.width for frame in track.frames)


@share(40)
@given(picks(1_000, below=2), st.none() | st.integers(0, 2_000))
def test_folding_loses_no_step_and_stays_readable(drawn: list[int], opened: int | None) -> None:
    dull = [bool(one) for one in drawn]
    found = spans(dull, opened=opened)

    assert [index for span in found for index in span] == list(range(len(dull)))
    most = 2 * (3 * MAX_TELLING + 2) + 1 + OPENED
    assert len(found) <= max(MAX_UNFOLDED, most)


def test_a_long_saga_keeps_what_tells_and_its_neighbours() -> None:
    dull = [True] * 1_000
    dull[500] = False

    found = spans(dull)

    assert [len(span) for span in found] == [1, 498, 1, 1, 1, 497, 1]
    assert [span.start for span in found if len(span) == 1] == [0, 499, 500, 501, 999]


def test_a_fold_opens() -> None:
    found = spans([True] * 1_000, opened=100)

    assert [len(span) for span in found] == [1, 99, *[1] * OPENED, 879, 1]
