"""From sagas to alerts: one is stuck, a step was not undone; once an instance and step."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tracing.alerts.keeping import Saying, keep, unsaid
from tracing.domain.saga.instance import Flag
from tracing.domain.text import digest16
from tracing.drawing.words import clause_of
from tracing.projections.saga_decisions import applied_sagas
from tracing.projections.saga_listing import SagaFilter, list_sagas
from tracing.projections.saga_reading import FlagAt, SagaLine, read_saga

if TYPE_CHECKING:
    from collections.abc import Iterator

# So many of the newest are looked at.
LOOKED = 300
# What came to be so longer ago is history, such as what a new definition finds in the past.
NEWS_MS = 86_400_000
# What undoes a step may be read a little behind the end: topics are read side by side.
SETTLED_MS = 10_000


def watch_sagas(now_ms: int) -> int:
    """Store what is new to say of sagas; return how many alerts. Three index ranges, bounded."""
    return keep([*_stuck(now_ms), *_failed(now_ms), *_missing(now_ms)])


def _stuck(now_ms: int) -> Iterator[Saying]:
    page = list_sagas(SagaFilter(stuck="1"), cursor=None, limit=LOOKED, now_ms=now_ms)
    for line in page.lines:
        if line.timeout_at_ms is None or now_ms - line.timeout_at_ms > NEWS_MS:
            continue
        over_s = (now_ms - line.timeout_at_ms) // 1_000
        text = f"{line.definition} {line.name}\n{line.step}: {over_s:,} s over its timeout"
        if line.since_ms is not None:
            text += f", since {_clock(line.since_ms)}"
        # Stuck at another step, it is told again.
        cause = f"stuck:{line.id}:{digest16(line.step).hex()}"
        title = f"{line.definition} {line.name} {_stands(line)}"
        yield _saying("stuck", line, cause, title, f"{text}\nState: {line.state}")


def _stands(line: SagaLine) -> str:
    """Return where it is stuck. Its end is no step: what is missing is that somebody says it."""
    versions = applied_sagas().versions.get(line.definition, ())
    states = next((one.definition.states for one in versions if one.number == line.version), None)
    if states and line.step in {states.completed, states.cancelled}:
        done = "done" if line.step == states.completed else "undone"
        return f"has not ended: everything is {done}, {line.step} has not come"
    return f"is stuck at {line.step}"


def _failed(now_ms: int) -> Iterator[Saying]:
    # Why it failed stands in its event: looked up only where nobody was told yet.
    for cause, line, one in _untold(Flag.FAILED_COMPENSATION, now_ms):
        because = _why_not_undone(line, one)
        # While a rebuild waits its definition may be there no longer.
        undo = one.undo or f"What undoes {one.step}"
        text = f"{line.definition} {line.name}\n{undo} failed"
        text += f": {because}" if because else ""
        text += f"\nIt was to undo: {one.step}\nState: {line.state}"
        if line.reason and line.reason != because:
            text += f"\nIt turned back because of: {line.reason}"
        yield _saying("not-undone", line, cause, f"{undo} failed for {line.name}", text)


def _missing(now_ms: int) -> Iterator[Saying]:
    for cause, line, one in _untold(Flag.MISSING_COMPENSATION, now_ms - SETTLED_MS):
        undo = one.undo or f"What undoes {one.step}"
        text = f"{line.definition} {line.name}\n{one.step} was done and never undone"
        text += f"\nState: {line.state}"
        if line.reason:
            text += f"\nIt turned back because of: {line.reason}"
        title = f"{_still(line, one)}: {undo} never came for {line.name}"
        yield _saying("not-undone", line, cause, title, text)


def _untold(flag: Flag, now_ms: int) -> Iterator[tuple[str, SagaLine, FlagAt]]:
    """Yield each step with a flag that nobody was told of, with its cause."""
    page = list_sagas(SagaFilter(flag=flag.code), cursor=None, limit=LOOKED, now_ms=now_ms)
    found = {
        f"not-undone:{line.id}:{digest16(one.step).hex()}": (line, one)
        for line in page.lines
        for one in line.flags
        if one.flag is flag and 0 <= now_ms - line.last_ms <= NEWS_MS
    }
    yield from ((cause, *found[cause]) for cause in sorted(unsaid(found)))


def _still(line: SagaLine, flag: FlagAt) -> str:
    """Return what is still so: `Hotel still booked`, by the event that says that it was done."""
    saga = read_saga(line.id)
    steps = saga.definition.steps if saga else ()
    done = next((clause_of(step.success[0]) for step in steps if step.name == flag.step), None)
    if done is None or not done.verb:
        return f"{flag.step} is not undone"
    return f"{done.subject[:1].upper()}{done.subject[1:]} still {done.verb}"


def _why_not_undone(line: SagaLine, flag: FlagAt) -> str:
    """Return the reason that the compensation's event gives, '' for none."""
    saga = read_saga(line.id)
    if saga is None:
        return ""
    undone = (step.compensation for step in saga.instance.steps if step.name == flag.step)
    said = next((saga.of(undo.result) for undo in undone if undo is not None), None)
    return said.reason if said else ""


def _saying(kind: str, line: SagaLine, cause: str, title: str, text: str) -> Saying:
    return Saying(
        kind=kind,
        subject=f"saga-{digest16(line.definition).hex()}",
        cause=cause,
        title=title,
        text=text,
        url=f"/sagas/{line.id}",
    )


def _clock(ms: int) -> str:
    return f"{dt.datetime.fromtimestamp(ms / 1_000, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
