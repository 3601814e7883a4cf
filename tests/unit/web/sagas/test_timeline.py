"""A saga's cards: looks, countdowns, folds, the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.domain.saga.facts import fact, facts
from tests.unit.web.sagas.test_words import ORDER
from tracing.domain.saga.definition import Definition
from tracing.domain.saga.derive import derive
from tracing.domain.saga.instance import Flag, Phase, Status
from tracing.domain.saga.parsing import parse
from tracing.web.sagas.cards import countdown
from tracing.web.sagas.looks import LOOKS, stand_of
from tracing.web.sagas.timeline import Timeline, timeline

if TYPE_CHECKING:
    from tracing.domain.facts import Fact


def drawn(
    held: list[Fact], definition: Definition = ORDER, *, now_s: float = 0, opened: int | None = None
) -> Timeline:
    one = derive(held, definition)
    assert one is not None
    return timeline(
        one,
        definition,
        now_ms=round(now_s * 1_000),
        url=lambda fact: f"/{fact.type}",
        reason=lambda _: "",
        opened=opened,
        base="/sagas/x",
    )


def looks(found: Timeline) -> dict[str, str]:
    return {one.at.id: one.view.look.slug for one in found.cards}


def way_back(found: Timeline) -> list[tuple[str, str]]:
    return [(way.source, way.target) for way in found.track.ways if way.kind == "back"]


def long_saga(steps: int) -> Definition:
    lines = ["saga: Long", "starts: Begun", "steps:"]
    lines.extend(
        f"  - {{name: Step {number}, success: Done{number}, failure: Failed{number},"
        f" compensation: {{name: Undo {number}, success: Undone{number}}}}}"
        for number in range(steps)
    )
    return parse("\n".join(lines))


def test_a_saga_under_way_shows_what_waits_and_what_works() -> None:
    found = drawn(facts("OrderPlaced StockReserved"), now_s=5)

    seen = looks(found)
    assert (seen["step-0"], seen["step-1"], seen["step-2"]) == ("done", "running", "waiting")
    card = next(one.view for one in found.cards if one.at.id == "step-1")
    assert (card.note, card.timeout_at_ms, card.spent) == ("timeout in 0:26", 31_000, 19.2)
    assert card.current
    assert way_back(found) == []


def test_the_clock_alone_makes_a_step_overdue() -> None:
    found = drawn(facts("OrderPlaced StockReserved"), now_s=41)

    assert looks(found)["step-1"] == "overdue"
    assert next(one.view.note for one in found.cards if one.at.id == "step-1") == "overdue by 0:10"


def test_a_failure_draws_the_mirror() -> None:
    held = facts("OrderPlaced StockReserved PaymentProcessed ShipmentFailed PaymentRefunded")

    found = drawn(held, now_s=4)

    seen = looks(found)
    assert seen["step-2"] == "failed"
    assert (seen["undo-1"], seen["undo-0"], seen["cancelled"]) == (
        "compensated",
        "compensating",
        "waiting",
    )
    assert way_back(found) == [
        ("step-2", "undo-1"),
        ("undo-1", "undo-0"),
        ("undo-0", "cancelled"),
    ]


def test_the_way_back_is_drawn_in_the_order_in_which_it_was_gone() -> None:
    text = "OrderPlaced StockReserved PaymentProcessed ShipmentFailed StockReleased PaymentRefunded"

    assert way_back(drawn(facts(text)))[:2] == [("step-2", "undo-0"), ("undo-0", "undo-1")]


def test_no_way_leads_into_what_never_came() -> None:
    held = facts(
        "OrderPlaced StockReserved PaymentProcessed ShipmentFailed StockReleased OrderCancelled"
    )

    found = drawn(held)

    assert looks(found)["undo-1"] == "missing"
    assert way_back(found) == [("step-2", "undo-0"), ("undo-0", "cancelled")]


@pytest.mark.parametrize("opened", [None, 0, 500, 990])
def test_a_thousand_steps_stay_readable(opened: int | None) -> None:
    definition = long_saga(1_000)
    held = [fact("Begun", 0), *(fact(f"Done{number}", 1 + number) for number in range(600))]
    held.append(fact("Failed600", 700))

    found = drawn(held, definition, opened=opened)

    assert len(found.cards) < 110
    assert sum(view.fold for view in found.lines) == 1_000
    assert len(found.lines) < 60
    assert looks(found)["step-600"] == "failed"
    folds = [one.view for one in found.cards if one.view.fold > 1]
    assert sum(view.fold for view in folds if view.undo is not None) == found.folded
    assert all(view.url.startswith("/sagas/x?step=") for view in folds)
    assert way_back(found)[0] == ("step-600", "undo-599")
    assert way_back(found)[-1][1] == "cancelled"


def test_a_cancellation_that_left_something_done_looks_like_a_failure() -> None:
    clean = stand_of(Phase.CANCELLED, None, None, 0, {Flag.SKIPPED_STEP})
    holding = stand_of(Phase.CANCELLED, None, None, 0, {Flag.MISSING_COMPENSATION})

    assert (clean.slug, clean.tone) == ("cancelled", "back")
    assert (holding.word, holding.tone) == ("cancelled, not undone", "fail")
    assert holding.symbol != clean.symbol


def test_every_look_has_a_shape_of_its_own() -> None:
    shapes = [(look.symbol, look.tone) for look in LOOKS.values()]

    assert len({symbol for symbol, _ in shapes}) == len(shapes)
    slugs = {status.value for status in Status}
    assert slugs <= set(LOOKS)


@pytest.mark.parametrize(
    ("left_ms", "told"),
    [
        (24_900, "timeout in 0:24"),
        (-62_000, "overdue by 1:02"),
        (3_600_000, "timeout in 1 h"),
        (0, "timeout in 0:00"),
    ],
)
def test_a_countdown(left_ms: int, told: str) -> None:
    assert countdown(left_ms) == told
