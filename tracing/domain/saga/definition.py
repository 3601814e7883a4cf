"""What a saga is declared to be: its steps, what undoes them, its ends, its timeouts."""

from __future__ import annotations

import enum
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.rules import Roles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.domain.saga.instance import Status, Taken

# An instance's key when nothing else is said.
BY_CORRELATION = "correlation"
BY_RECORD_KEY = "key"


class Part(enum.IntEnum):
    """What an event type is in a saga."""

    START = 0
    COMMAND = 1
    SUCCESS = 2
    FAILURE = 3
    UNDO_COMMAND = 4
    UNDO_SUCCESS = 5
    UNDO_FAILURE = 6
    COMPLETED = 7
    CANCELLED = 8


# What an event does: its part, and the index of the step (-1 where it belongs to none).
Act = tuple[Part, int]


class Compensation(msgspec.Struct, frozen=True, kw_only=True):
    """What undoes a step. `timeout_ms` is None where nobody says how long it may take."""

    name: str
    success: tuple[str, ...]
    failure: tuple[str, ...] = ()
    command: str | None = None
    timeout_ms: int | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step forward; steps of one `group` run in parallel, groups one after the other.

    `state` is the saga's state once the step is done.
    """

    name: str
    success: tuple[str, ...]
    state: str
    group: int
    failure: tuple[str, ...] = ()
    command: str | None = None
    timeout_ms: int | None = None
    compensation: Compensation | None = None


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """The events that end a saga. Without one, the last step (or compensation) ends it.

    `timeout_ms` is how long the end may take once the last step is done.
    """

    completed: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()
    timeout_ms: int | None = None


class States(msgspec.Struct, frozen=True, kw_only=True):
    """The names of the states that no step gives."""

    started: str = "STARTED"
    compensating: str = "COMPENSATING"
    failed: str = "COMPENSATION_FAILED"
    completed: str = "COMPLETED"
    cancelled: str = "CANCELLED"


class Definition(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One saga as people declare it. `key` tells its instances apart.

    `key` is `correlation`, `key` (the record's), `header:name` or `$.path.in.the.payload`.
    """

    name: str
    starts: tuple[str, ...]
    steps: tuple[Step, ...]
    ends: Ends = Ends()
    states: States = States()
    key: str = BY_CORRELATION

    @cached_property
    def acts(self) -> dict[str, tuple[Act, ...]]:
        """Return what each event type does in this saga."""
        found: dict[str, list[Act]] = defaultdict(list)

        def add(types: Iterable[str | None], part: Part, index: int = -1) -> None:
            for event_type in types:
                if event_type:
                    found[event_type].append((part, index))

        add(self.starts, Part.START)
        for index, step in enumerate(self.steps):
            add([step.command], Part.COMMAND, index)
            add(step.success, Part.SUCCESS, index)
            add(step.failure, Part.FAILURE, index)
            if step.compensation is not None:
                add([step.compensation.command], Part.UNDO_COMMAND, index)
                add(step.compensation.success, Part.UNDO_SUCCESS, index)
                add(step.compensation.failure, Part.UNDO_FAILURE, index)
        add(self.ends.completed, Part.COMPLETED)
        add(self.ends.cancelled, Part.CANCELLED)
        return {event_type: tuple(acts) for event_type, acts in found.items()}

    @cached_property
    def idle(self) -> dict[tuple[int, Status], Taken]:
        """Return room to remember steps that nothing happened to, by index and status."""
        return {}

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Return the indexes of the steps by group, in order."""
        found: dict[int, list[int]] = defaultdict(list)
        for index, step in enumerate(self.steps):
            found[step.group].append(index)
        return tuple(tuple(found[group]) for group in sorted(found))

    @cached_property
    def commands(self) -> frozenset[str]:
        """Return the types that are declared as commands."""
        asked = {step.command for step in self.steps}
        asked |= {step.compensation.command for step in self.steps if step.compensation}
        return frozenset(name for name in asked if name)

    @cached_property
    def replies(self) -> frozenset[str]:
        """Return the types that answer a declared command."""
        found: set[str] = set()
        for step in self.steps:
            if step.command:
                found.update(step.success, step.failure)
            undo = step.compensation
            if undo is not None and undo.command:
                found.update(undo.success, undo.failure)
        return frozenset(found)

    @cached_property
    def roles(self) -> Roles:
        """Return what its types do in their flow.

        Where no event is declared to end it, a last step that stands alone does; of several that
        run in parallel no single type tells.
        """
        undos = [step.compensation for step in self.steps if step.compensation]
        failed = [step.failure for step in self.steps] + [undo.failure for undo in undos]
        completed = self.ends.completed
        if not completed and len(self.groups[-1]) == 1:
            completed = self.steps[-1].success
        return Roles(
            failed=frozenset().union(*failed),
            undone=frozenset(self.ends.cancelled).union(*(undo.success for undo in undos)),
            ended=frozenset((*completed, *self.ends.cancelled)),
        )

    @property
    def orchestrated(self) -> bool:
        """Tell whether somebody sends commands; else the services react to each other's events."""
        return bool(self.commands)


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A definition as it stands from some time on, in ms since 1970 by Kafka's clock."""

    number: int
    valid_from_ms: int
    definition: Definition


def version_at(versions: Iterable[Version], start_ms: int) -> Version | None:
    """Return the version whose time covers a starting event; of two, the one made last."""
    covering = [version for version in versions if version.valid_from_ms <= start_ms]
    return max(covering, key=lambda one: (one.valid_from_ms, one.number), default=None)
