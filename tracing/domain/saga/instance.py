"""What one saga did so far, as pages, lists and the API show it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tracing.domain.facts import Fact


class Phase(enum.IntEnum):
    """Where an instance stands, whatever its definition calls it."""

    RUNNING = 0
    COMPENSATING = 1
    # A compensation failed: nobody undoes what was done.
    FAILED = 2
    COMPLETED = 3
    CANCELLED = 4

    @property
    def open(self) -> bool:
        """Tell whether something is still expected to happen."""
        return self < Phase.COMPLETED


class Status(enum.StrEnum):
    """Where a step, or the compensation of one, stands.

    A step is skipped when a later one is done without it, and not reached when the saga ended or
    turned back before it. A compensation is not needed while nothing must be undone, and missing
    when the saga was cancelled without it.
    """

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_REACHED = "not_reached"
    NOT_NEEDED = "not_needed"
    MISSING = "missing"


class Flag(enum.IntEnum):
    """What is odd about an instance. The numbers are stored: never give one a second meaning."""

    MISSING_COMPENSATION = 1
    FAILED_COMPENSATION = 2
    DOUBLED_COMPENSATION = 3
    MISORDERED_COMPENSATION = 4
    # Undone although the step was not done, or the saga was completed.
    UNEXPECTED_COMPENSATION = 5
    DOUBLED_STEP = 6
    SKIPPED_STEP = 7
    # Both done and failed, by different events.
    CONTRADICTED_STEP = 8
    AFTER_THE_END = 9

    @property
    def code(self) -> str:
        """Return the flag's name in addresses and JSON, such as `missing_compensation`."""
        return self.name.lower()


# What was done is still done, although the saga went back.
NOT_UNDONE = frozenset({Flag.MISSING_COMPENSATION, Flag.FAILED_COMPENSATION})


class Flagged(msgspec.Struct, frozen=True, order=True):
    """A flag, and the step that it is about: its index, -1 for the whole saga."""

    flag: Flag
    step: int = -1


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """A step's compensation: as `Taken`."""

    name: str
    status: Status
    started_ms: int | None = None
    timeout_at_ms: int | None = None
    duration_us: int | None = None
    command: Fact | None = None
    result: Fact | None = None


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """One step as it went.

    `started_ms` and `timeout_at_ms` are by Kafka's clock; the latter is None unless the step is
    running and has a timeout. `duration_us` is by the events' own clocks, None before the step is
    done, and may be negative where these disagree. `result` is the fact that decided.
    """

    name: str
    status: Status
    started_ms: int | None = None
    timeout_at_ms: int | None = None
    duration_us: int | None = None
    command: Fact | None = None
    result: Fact | None = None
    compensation: Undoing | None = None


class Change(msgspec.Struct, frozen=True):
    """The saga came into a state by an event."""

    state: str
    fact: Fact


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One saga. Nothing in it depends on now: overdue is `timeout_at_ms` against the clock.

    `step` names what it waits for, empty when nothing: a compensation that failed when only a
    person can go on; `since_ms` says since when. `ended_ms` is None while it is open. `failure` is
    the first event that made it fail. `to_come` names what is still expected, in order.
    """

    state: str
    phase: Phase
    start: Fact
    started_ms: int
    ended_ms: int | None
    last_ms: int
    step: str
    since_ms: int | None
    timeout_at_ms: int | None
    steps: tuple[Taken, ...]
    history: tuple[Change, ...]
    flags: tuple[Flagged, ...]
    failure: Fact | None
    to_come: tuple[str, ...]
