"""What is odd about a saga: compensations that are missing, doubled, misordered, failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.domain.saga.definition import Part
from tracing.domain.saga.instance import Flag, Flagged, Phase, Status, Taken, Undoing
from tracing.domain.saga.told import when

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracing.domain.facts import Place
    from tracing.domain.saga.told import Told


def flags(told: Told, steps: tuple[Taken, ...]) -> Iterator[Flagged]:
    """Yield the flags of a saga and of its steps."""
    if told.late:
        yield Flagged(Flag.AFTER_THE_END)
    for index, step in enumerate(steps):
        if step.status is Status.SKIPPED:
            yield Flagged(Flag.SKIPPED_STEP, index)
        if index not in told.touched:
            continue
        done, failed = (told.all(part, index) for part in (Part.SUCCESS, Part.FAILURE))
        if len(done) > 1:
            yield Flagged(Flag.DOUBLED_STEP, index)
        if done and failed:
            yield Flagged(Flag.CONTRADICTED_STEP, index)
        if step.compensation is not None:
            yield from _undo_flags(told, index, step, step.compensation)
    yield from _misordered(told)


def _undo_flags(told: Told, index: int, step: Taken, undo: Undoing) -> Iterator[Flagged]:
    if undo.status is Status.MISSING:
        yield Flagged(Flag.MISSING_COMPENSATION, index)
    elif undo.status is Status.FAILED:
        yield Flagged(Flag.FAILED_COMPENSATION, index)
    elif undo.status is Status.DONE:
        if len(told.all(Part.UNDO_SUCCESS, index)) > 1:
            yield Flagged(Flag.DOUBLED_COMPENSATION, index)
        # A step that failed may have been half done; one that never began cannot be undone.
        begun = step.result is not None or step.command is not None
        if not begun or told.phase is Phase.COMPLETED:
            yield Flagged(Flag.UNEXPECTED_COMPENSATION, index)


def _misordered(told: Told) -> Iterator[Flagged]:
    """Yield the steps that were undone before one that was done after them."""
    behind: list[tuple[int, Place]] = []
    for number in told.touched_groups():
        here = []
        for index in told.definition.groups[number]:
            fact = told.first(Part.UNDO_SUCCESS, index)
            if fact is None:
                continue
            here.append(when(fact))
            if behind and when(fact) < behind[0]:
                yield Flagged(Flag.MISORDERED_COMPENSATION, index)
        # The latest time of all groups that come later in the saga.
        behind = [max(behind + here)] if behind or here else []
