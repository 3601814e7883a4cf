"""Each step's part in a saga: its status, its times, its compensation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.domain.saga.definition import Part
from tracing.domain.saga.instance import Phase, Status, Taken, Undoing
from tracing.domain.saga.told import when

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracing.domain.facts import Fact
    from tracing.domain.saga.definition import Step
    from tracing.domain.saga.told import Told


class Steps:
    """Each step's part in it, from what was told."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._steps = told.definition.steps
        self._groups = told.definition.groups
        done = [self._steps[index].group for index in told.touched if self._done(index)]
        self._last_done = max(done, default=-1)
        self._turn, self._begun = self._forward()
        self._undo_turn, self._undo_begun = self._backward()

    def taken(self) -> Iterator[Taken]:
        """Yield the steps in their order."""
        idle = self._told.definition.idle
        for index, step in enumerate(self._steps):
            if index in self._told.touched or step.group == self._turn:
                yield self._step(index, step)
                continue
            # No event is about it: all such steps of one status are alike.
            status = self._pending(step, commanded=False)
            if (index, status) not in idle:
                idle[index, status] = self._step(index, step)
            yield idle[index, status]

    def _done(self, index: int) -> Fact | None:
        return self._told.first(Part.SUCCESS, index)

    def _forward(self) -> tuple[int, list[Fact | None]]:
        """Return whose turn it is, and by which event each group could begin.

        A group begins when those before it are done; one that was skipped is passed over.
        """
        begun: list[Fact | None] = []
        ready = self._told.start
        turn = -1
        for number, group in enumerate(self._groups):
            if turn >= 0 and number > self._last_done:
                return turn, begun + [ready] * (len(self._groups) - number)
            begun.append(ready)
            results = [self._done(index) for index in group]
            if turn < 0 and not all(results):
                turn = number
            ready = max((fact for fact in results if fact), key=when, default=ready)
        return turn, begun

    def _backward(self) -> tuple[int, dict[int, Fact | None]]:
        """Return which group is to be undone now, and by which event each one could begin.

        A failed compensation holds up nobody who hears events: what can be undone still should be.
        Who waits for a command is not at it before that comes: whoever sends it is held up.
        """
        begun: dict[int, Fact | None] = {}
        ready = self._told.failure or self._told.end
        turn, held_up = -1, False
        for number in self._told.touched_groups():
            begun[number] = ready
            undone, stops = [], False
            for index in self._groups[number]:
                undo = self._steps[index].compensation
                if undo is None or not self._done(index):
                    continue
                succeeded = self._told.first(Part.UNDO_SUCCESS, index)
                result = succeeded or self._told.first(Part.UNDO_FAILURE, index)
                if result is not None:
                    undone.append(result)
                    stops = stops or succeeded is None
                elif not (held_up and undo.command):
                    turn = number if turn < 0 else turn
            held_up = held_up or stops
            ready = max(undone, key=when, default=ready)
        return turn, begun

    def _step(self, index: int, step: Step) -> Taken:
        told = self._told
        command = told.first(Part.COMMAND, index)
        result = self._done(index) or told.first(Part.FAILURE, index)
        status = self._status(index, step, commanded=command is not None)
        begun = command or self._begun[step.group]
        if status in {Status.WAITING, Status.NOT_REACHED, Status.SKIPPED} or begun is None:
            return Taken(
                name=step.name,
                status=status,
                command=command,
                compensation=self._undoing(index, step),
            )
        return Taken(
            name=step.name,
            status=status,
            started_ms=begun.timestamp_ms,
            timeout_at_ms=_deadline(status, begun, step.timeout_ms),
            duration_us=_duration(status, begun, result),
            command=command,
            result=result,
            compensation=self._undoing(index, step),
        )

    def _status(self, index: int, step: Step, *, commanded: bool) -> Status:
        if self._done(index):
            return Status.DONE
        if self._told.first(Part.FAILURE, index):
            return Status.FAILED
        return self._pending(step, commanded=commanded)

    def _pending(self, step: Step, *, commanded: bool) -> Status:
        """Return the status of a step that neither succeeded nor failed."""
        if step.group < self._last_done or self._told.phase is Phase.COMPLETED:
            return Status.SKIPPED
        if self._told.phase is not Phase.RUNNING:
            return Status.NOT_REACHED
        return Status.RUNNING if commanded or step.group == self._turn else Status.WAITING

    def _undoing(self, index: int, step: Step) -> Undoing | None:
        undo = step.compensation
        if undo is None:
            return None
        command = self._told.first(Part.UNDO_COMMAND, index)
        result = self._told.first(Part.UNDO_SUCCESS, index)
        result = result or self._told.first(Part.UNDO_FAILURE, index)
        status = self._undo_status(index, step, commanded=command is not None)
        begun = command or self._undo_begun.get(step.group)
        if status in {Status.WAITING, Status.NOT_NEEDED, Status.MISSING} or begun is None:
            return Undoing(name=undo.name, status=status, command=command, result=result)
        return Undoing(
            name=undo.name,
            status=status,
            started_ms=begun.timestamp_ms,
            timeout_at_ms=_deadline(status, begun, undo.timeout_ms),
            duration_us=_duration(status, begun, result),
            command=command,
            result=result,
        )

    def _undo_status(self, index: int, step: Step, *, commanded: bool) -> Status:
        if self._told.first(Part.UNDO_SUCCESS, index):
            return Status.DONE
        if self._told.first(Part.UNDO_FAILURE, index):
            return Status.FAILED
        phase = self._told.phase
        due = self._done(index) is not None
        if phase is Phase.CANCELLED:
            return Status.MISSING if due else Status.NOT_NEEDED
        if phase not in {Phase.COMPENSATING, Phase.FAILED} or not (due or commanded):
            return Status.NOT_NEEDED
        return Status.RUNNING if commanded or step.group == self._undo_turn else Status.WAITING


def _deadline(status: Status, begun: Fact, timeout_ms: int | None) -> int | None:
    if status is not Status.RUNNING or timeout_ms is None:
        return None
    return begun.timestamp_ms + timeout_ms


def _duration(status: Status, begun: Fact, result: Fact | None) -> int | None:
    if status is not Status.DONE or result is None:
        return None
    return result.time_us - begun.time_us
