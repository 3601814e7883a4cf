"""A saga's state as a pure function of the set of its facts and its definition.

Copies are laid together first, then the events are gone through in the order of their own time
(ties end in their coordinates), so the order of arrival cannot show. A success outweighs a failure
of the same step, whichever is later: what was done must be undone. Only the first end counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.domain.causality import canonical
from tracing.domain.saga.definition import Definition, Version, version_at
from tracing.domain.saga.flags import flags
from tracing.domain.saga.instance import Instance, Phase, Status, Taken, Undoing
from tracing.domain.saga.steps import Steps
from tracing.domain.saga.told import Told, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracing.domain.facts import Fact


# A failure that was got over is no reason any more.
_FAILED = {Phase.COMPENSATING, Phase.FAILED, Phase.CANCELLED}


def derive(facts: Iterable[Fact], definition: Definition) -> Instance | None:
    """Return what the saga did, None while its starting event is not there.

    Facts of types that the definition does not name are left aside. Cost: n log n in the facts.
    """
    held = [fact for fact in facts if fact.type in definition.acts]
    told = Told(definition, sorted(canonical(held).values(), key=when))
    if told.start is None:
        return None
    steps = tuple(Steps(told).taken())
    return _instance(told, told.start, steps, last_ms=max(fact.timestamp_ms for fact in held))


def judge(
    facts: Sequence[Fact], versions: Iterable[Version], rule: str
) -> tuple[Version, Instance] | None:
    """Return the version that a saga's facts belong to and what it did; None for none.

    `rule` is by what these facts were told apart from others: a version that tells its instances
    apart by another one is not theirs.
    """
    known = list(versions)
    chosen = None
    for version in known:
        start = starting(facts, version.definition)
        if start is not None and version_at(known, start.timestamp_ms) is version:
            chosen = version
    if chosen is None or chosen.definition.key != rule:
        return None
    found = derive(facts, chosen.definition)
    return None if found is None else (chosen, found)


def starting(facts: Iterable[Fact], definition: Definition) -> Fact | None:
    """Return the event that starts the saga: of several the earliest."""
    starts = set(definition.starts)
    events = canonical(fact for fact in facts if fact.type in starts)
    return min(events.values(), key=when, default=None)


def _instance(told: Told, start: Fact, steps: tuple[Taken, ...], *, last_ms: int) -> Instance:
    definition = told.definition
    running = list(_running(steps))
    failed = next(_undo_failed(steps), None)
    step, since_ms = "", None
    deadlines = [at for one in running if (at := one.timeout_at_ms) is not None]
    if running:
        step, since_ms = running[0].name, running[0].started_ms
    elif told.phase is Phase.FAILED and failed is not None:
        # Nobody is at it any more: it waits for a person, for whom there is no deadline.
        step, since_ms = failed.name, failed.result.timestamp_ms if failed.result else None
    elif told.phase.open:
        # Every step is done, or undone as far as it goes: only the end is to come.
        forward = told.phase is Phase.RUNNING
        step = definition.states.completed if forward else definition.states.cancelled
        before = _last_result(steps, forward=forward) or start
        since_ms = before.timestamp_ms
        if definition.ends.timeout_ms is not None:
            deadlines = [since_ms + definition.ends.timeout_ms]
    return Instance(
        state=told.history[-1].state,
        phase=told.phase,
        start=start,
        started_ms=start.timestamp_ms,
        ended_ms=told.end.timestamp_ms if told.end else None,
        last_ms=last_ms,
        step=step,
        since_ms=since_ms,
        timeout_at_ms=min(deadlines, default=None),
        steps=steps,
        history=tuple(told.history),
        flags=tuple(sorted(set(flags(told, steps)))),
        failure=told.failure if told.phase in _FAILED else None,
        to_come=tuple(_to_come(told, steps)),
    )


def _running(steps: tuple[Taken, ...]) -> Iterator[Taken | Undoing]:
    """Yield what runs, in the order of time: forward first to last, compensations last to first."""
    yield from (step for step in steps if step.status is Status.RUNNING)
    for step in reversed(steps):
        undo = step.compensation
        if undo is not None and undo.status is Status.RUNNING:
            yield undo


def _undo_failed(steps: tuple[Taken, ...]) -> Iterator[Undoing]:
    """Yield the compensations that failed, in the order of the way back."""
    for step in reversed(steps):
        if step.compensation is not None and step.compensation.status is Status.FAILED:
            yield step.compensation


def _last_result(steps: tuple[Taken, ...], *, forward: bool) -> Fact | None:
    results = [step.result for step in steps if step.result]
    if not forward:
        undone = (step.compensation for step in steps if step.compensation)
        results += [undo.result for undo in undone if undo.result]
    return max(results, key=when, default=None)


def _to_come(told: Told, steps: tuple[Taken, ...]) -> Iterator[str]:
    if not told.phase.open:
        return
    expected = {Status.RUNNING, Status.WAITING}
    if told.phase is Phase.RUNNING:
        yield from (step.name for step in steps if step.status in expected)
        if told.definition.ends.completed:
            yield told.definition.states.completed
        return
    for step in reversed(steps):
        undo = step.compensation
        if undo is not None and undo.status in expected:
            yield undo.name
    if told.definition.ends.cancelled:
        yield told.definition.states.cancelled
