"""Any order of arrival gives one saga, and it is the one that a naive model says."""

from __future__ import annotations

from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tests.unit.domain.saga.facts import fact
from tests.unit.domain.saga.test_derive import ORCHESTRATED, SHOP, TRIP
from tracing.domain.facts import Fact
from tracing.domain.saga.definition import Definition
from tracing.domain.saga.derive import derive
from tracing.domain.saga.instance import Phase, Status

DEFINITIONS = st.sampled_from([SHOP, ORCHESTRATED, TRIP])


@st.composite
def told(draw: st.DrawFn) -> tuple[Definition, list[Fact]]:
    """Draw a definition and some of its events: any types, equal times, copies of one event."""
    definition = draw(DEFINITIONS)
    types = [*sorted(definition.acts), "SomethingElse"]
    drawn = draw(st.lists(st.binary(min_size=3, max_size=3), max_size=14))
    events = [
        fact(
            types[kind % len(types)],
            at % 7,
            offset=offset,
            event=f"{types[kind % len(types)]}-{copy % 4}",
        )
        for offset, (kind, at, copy) in enumerate(drawn)
    ]
    start = fact(definition.starts[0], draw(st.integers(0, 6)), offset=99)
    return definition, [*events, start]


@share(60)
@given(told(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_show(
    drawn: tuple[Definition, list[Fact]], dice: Random
) -> None:
    definition, events = drawn
    shuffled = [*events, *events[: len(events) // 2]]
    dice.shuffle(shuffled)

    assert derive(shuffled, definition) == derive(events, definition)


@share(60)
@given(told())
def test_it_is_what_the_model_says(drawn: tuple[Definition, list[Fact]]) -> None:
    definition, events = drawn
    found = derive(events, definition)

    assert found is not None
    assert (found.phase, found.state) == model(definition, events)
    for step in found.steps:
        if found.phase is Phase.CANCELLED and step.status is Status.DONE and step.compensation:
            assert step.compensation.status in {Status.DONE, Status.FAILED, Status.MISSING}
        if not found.phase.open:
            assert step.status not in {Status.RUNNING, Status.WAITING}
            assert found.timeout_at_ms is None


@share(60)
@given(told())
def test_nothing_but_the_first_end_ends_it(drawn: tuple[Definition, list[Fact]]) -> None:
    definition, events = drawn
    found = derive(events, definition)
    assert found is not None
    late = fact("OrderCompleted", 50, offset=200), fact("StockReleased", 51, offset=201)
    again = derive([*events, *late], definition)

    assert again is not None
    if not found.phase.open:
        assert (again.phase, again.state, again.ended_ms) == (
            found.phase,
            found.state,
            found.ended_ms,
        )


class Naive(msgspec.Struct):
    """Sets of names, and nothing else."""

    done: set[str]
    failed: set[str]
    undone: set[str]
    undo_failed: set[str]
    turned: bool = False


def model(definition: Definition, events: list[Fact]) -> tuple[Phase, str]:
    """Return phase and state: of the whole history one event after the other, to the first end."""
    first: dict[bytes, Fact] = {}
    for event in sorted(events, key=lambda one: (one.timestamp_ms, one.place)):
        first.setdefault(event.event, event)
    known = Naive(set(), set(), set(), set())
    result = (Phase.RUNNING, definition.states.started)
    for event in sorted(first.values(), key=lambda one: (one.time_us, one.place)):
        if event.type not in definition.acts:
            continue
        learn(definition, known, event.type)
        result = judge(definition, known, event.type)
        if not result[0].open:
            break
    return result


def learn(definition: Definition, known: Naive, name: str) -> None:
    for step in definition.steps:
        undo = step.compensation
        if name in step.success:
            known.done.add(step.name)
        if name in step.failure:
            known.failed.add(step.name)
        if undo is not None and name in undo.success:
            known.undone.add(step.name)
        if undo is not None and name in undo.failure:
            known.undo_failed.add(step.name)
        if undo is not None and name in (*undo.success, *undo.failure, undo.command):
            known.turned = True


def judge(definition: Definition, known: Naive, name: str) -> tuple[Phase, str]:
    states, ends = definition.states, definition.ends
    if name in ends.completed:
        return Phase.COMPLETED, states.completed
    if name in ends.cancelled:
        return Phase.CANCELLED, states.cancelled
    if known.undo_failed - known.undone:
        return Phase.FAILED, states.failed
    if known.turned or known.failed - known.done:
        undoable = {step.name for step in definition.steps if step.compensation}
        if not ends.cancelled and not (known.done & undoable) - known.undone:
            return Phase.CANCELLED, states.cancelled
        return Phase.COMPENSATING, states.compensating
    names = [step.name for step in definition.steps]
    if not ends.completed and known.done == set(names):
        return Phase.COMPLETED, states.completed
    done = [step.state for step in definition.steps if step.name in known.done]
    return Phase.RUNNING, done[-1] if done else states.started
