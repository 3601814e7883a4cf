"""The events of one saga gone through in the order of their own time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tracing.domain.saga.definition import Definition, Part
from tracing.domain.saga.instance import Change, Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracing.domain.facts import Fact, Place

# The parts that end a saga or finish one of its steps; commands and compensations may come late.
_RESULTS = {Part.SUCCESS, Part.FAILURE, Part.COMPLETED, Part.CANCELLED}


def when(fact: Fact) -> tuple[int, Place]:
    """Return what orders events: their own time, then their coordinates."""
    return (fact.time_us, fact.place)


class Told:
    """What the events say, by part and step, and the states that they led through."""

    def __init__(self, definition: Definition, events: list[Fact]) -> None:
        self.definition = definition
        self.start: Fact | None = None
        self.end: Fact | None = None
        self.phase = Phase.RUNNING
        self.history: list[Change] = []
        self.failure: Fact | None = None
        self.late: list[Fact] = []
        # The steps that any event is about: of a thousand these are often a few.
        self.touched: set[int] = set()
        self._by: dict[tuple[Part, int], list[Fact]] = defaultdict(list)
        self._failed: set[int] = set()
        self._undo_failed: set[int] = set()
        self._left = set(range(len(definition.steps)))
        self._furthest = -1
        self._turned = False
        for fact in events:
            self._take(fact)

    def first(self, part: Part, step: int) -> Fact | None:
        """Return the first event of a part."""
        found = self._by.get((part, step))
        return found[0] if found else None

    def all(self, part: Part, step: int) -> list[Fact]:
        """Return all events of a part, the first one first."""
        return self._by.get((part, step), [])

    def _take(self, fact: Fact) -> None:
        for part, step in self.definition.acts[fact.type]:
            self._by[part, step].append(fact)
            if step >= 0:
                self.touched.add(step)
            if self.end is not None and part in _RESULTS and fact is not self.end:
                self.late.append(fact)
            self._note(part, step, fact)
        if self.end is None:
            self._move(fact)

    def _note(self, part: Part, step: int, fact: Fact) -> None:
        if part is Part.START:
            self.start = self.start or fact
        elif part is Part.SUCCESS:
            self._left.discard(step)
            self._failed.discard(step)
            self._furthest = max(self._furthest, step)
        elif part is Part.FAILURE:
            if step in self._left:
                self._failed.add(step)
            self.failure = self.failure or fact
        elif part is Part.UNDO_SUCCESS:
            self._turned = True
            self._undo_failed.discard(step)
        elif part is Part.UNDO_FAILURE:
            self._turned = True
            if not self.all(Part.UNDO_SUCCESS, step):
                self._undo_failed.add(step)
            self.failure = self.failure or fact
        elif part is Part.UNDO_COMMAND:
            self._turned = True

    def _move(self, fact: Fact) -> None:
        """Note a change of the state, and the end where this is the first."""
        phase = self._phase(fact)
        if not phase.open:
            self.end = fact
        self.phase = phase
        state = self._state()
        if not self.history or self.history[-1].state != state:
            self.history.append(Change(state, fact))

    def _phase(self, fact: Fact) -> Phase:
        acts = {part for part, _ in self.definition.acts[fact.type]}
        if Part.COMPLETED in acts:
            return Phase.COMPLETED
        if Part.CANCELLED in acts:
            return Phase.CANCELLED
        if self._undo_failed:
            return Phase.FAILED
        if self._failed or self._turned:
            undone = not self.definition.ends.cancelled and next(self.to_undo(), None) is None
            return Phase.CANCELLED if undone else Phase.COMPENSATING
        if not self._left and not self.definition.ends.completed:
            return Phase.COMPLETED
        return Phase.RUNNING

    def touched_groups(self) -> list[int]:
        """Return the groups with a step that any event is about, the last one first."""
        steps = self.definition.steps
        return sorted({steps[index].group for index in self.touched}, reverse=True)

    def to_undo(self) -> Iterator[int]:
        """Yield the steps that are done and must be undone, as far as they are not: last first."""
        for group in reversed(self.definition.groups):
            for step in group:
                if (
                    self.definition.steps[step].compensation is not None
                    and step not in self._left
                    and not self.all(Part.UNDO_SUCCESS, step)
                ):
                    yield step

    def _state(self) -> str:
        names = self.definition.states
        if self.phase is Phase.RUNNING:
            if self._furthest < 0:
                return names.started
            return self.definition.steps[self._furthest].state
        return {
            Phase.COMPENSATING: names.compensating,
            Phase.FAILED: names.failed,
            Phase.COMPLETED: names.completed,
            Phase.CANCELLED: names.cancelled,
        }[self.phase]
