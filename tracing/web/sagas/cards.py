"""The cards of a saga's timeline: what each step did in words, a look and a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.domain.saga.definition import Definition
from tracing.domain.saga.instance import Instance, Phase, Status, Taken, Undoing
from tracing.drawing.durations import duration
from tracing.web.present import Sign, iso
from tracing.web.sagas.looks import LOOKS, look_of, undo_look_of
from tracing.web.sagas.words import span_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracing.domain.facts import Fact

BAR = 144
_REACHED = {Status.DONE, Status.FAILED, Status.RUNNING}


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A card with what its step did. `url` is its event's page, '' while there is none.

    `timeout_at_ms` makes the note a countdown, from `since_ms` on; `spent` px of a bar of `BAR` are
    spent. `fold` is the number of steps
    that a fold stands for, 1 for a step.
    """

    id: str
    title: str
    note: str
    look: Sign
    url: str = ""
    hint: str = ""
    timeout_at_ms: int | None = None
    since_ms: int | None = None
    begun: bool = False
    fold: int = 1
    current: bool = False
    undo: View | None = None
    spent: float = 0


class Views:
    """Makes the cards of one saga."""

    def __init__(
        self,
        one: Instance,
        definition: Definition,
        now_ms: int,
        url: Callable[[Fact], str],
        reason: Callable[[Fact], str],
    ) -> None:
        self._one, self._definition, self._now_ms = one, definition, now_ms
        self._url, self._reason = url, reason

    def start(self) -> View:
        fact = self._one.start
        state = self._definition.states.started
        return View(
            id="start",
            title=fact.type,
            note=state,
            look=LOOKS["done"],
            url=self._url(fact),
            hint=iso(fact.timestamp_ms),
            begun=True,
        )

    def completed(self) -> View:
        one = self._one
        reached = one.phase is Phase.COMPLETED
        waits = one.phase is Phase.RUNNING
        end = _waits_for_end(one)
        late = end and one.timeout_at_ms is not None and one.timeout_at_ms < self._now_ms
        slug = "done" if reached else "waiting" if waits else "not_reached"
        if end and waits:
            slug = "overdue" if late else "running"
        return View(
            id="completed",
            title=self._definition.states.completed,
            note="the end" if reached else LOOKS[slug].word,
            look=LOOKS[slug],
            url=self._url(one.history[-1].fact) if reached else "",
            begun=reached,
            timeout_at_ms=one.timeout_at_ms if end and waits else None,
            since_ms=one.since_ms if end and waits else None,
            spent=_spent(one.since_ms, one.timeout_at_ms, self._now_ms) if end else 0,
            current=bool(end and waits),
        )

    def cancelled(self) -> View:
        one = self._one
        reached = one.phase is Phase.CANCELLED
        back = one.phase in {Phase.COMPENSATING, Phase.FAILED}
        end = back and _waits_for_end(one)
        late = end and one.timeout_at_ms is not None and one.timeout_at_ms < self._now_ms
        slug = "compensated" if reached else "waiting" if back else "not_needed"
        if end:
            slug = "overdue" if late else "compensating"
        return View(
            id="cancelled",
            title=self._definition.states.cancelled,
            note="the end" if reached else "comes last" if slug == "waiting" else LOOKS[slug].word,
            look=LOOKS[slug],
            url=self._url(one.history[-1].fact) if reached else "",
            begun=reached,
            timeout_at_ms=one.timeout_at_ms if end else None,
            since_ms=one.since_ms if end else None,
            spent=_spent(one.since_ms, one.timeout_at_ms, self._now_ms) if end else 0,
            current=end,
        )

    def step(self, index: int) -> View:
        step = self._one.steps[index]
        look = look_of(step, self._now_ms)
        note = look.word
        if step.status is Status.DONE and step.duration_us is not None:
            note = f"done in {duration(step.duration_us)}"
        elif step.status is Status.WAITING:
            note = "waits its turn"
        undo = step.compensation
        return self._view(
            f"step-{index}",
            step,
            look,
            note,
            undo=None if undo is None else self._undo(index, step, undo),
        )

    def _undo(self, index: int, step: Taken, undo: Undoing) -> View:
        look = undo_look_of(undo, self._now_ms)
        note = look.word
        if undo.status is Status.DONE and undo.duration_us is not None:
            note = f"undone in {duration(undo.duration_us)}"
        elif undo.status is Status.MISSING:
            note = "never came"
        elif undo.status is Status.WAITING:
            note = "waits its turn"
        elif undo.status is Status.NOT_NEEDED and self._one.phase is Phase.RUNNING:
            note = "if a later step fails" if step.status is Status.DONE else "not needed so far"
        return self._view(f"undo-{index}", undo, look, note)

    def _view(
        self, name: str, step: Taken | Undoing, look: Sign, note: str, *, undo: View | None = None
    ) -> View:
        fact = step.result or step.command
        because = self._reason(step.result) if step.result else ""
        if step.status is Status.FAILED and because:
            note = f"failed: {because}"
        if step.status is Status.RUNNING and step.started_ms is not None:
            took = max(self._now_ms - step.started_ms, 0)
            note = f"for {span_ms(took // 1_000 * 1_000)}"
        if step.timeout_at_ms is not None:
            note = countdown(step.timeout_at_ms - self._now_ms)
        hints = [step.name, look.word]
        if step.command is not None:
            hints.append(f"command {step.command.type} {iso(step.command.timestamp_ms)}")
        if step.result is not None:
            hints.append(f"{step.result.type} {iso(step.result.timestamp_ms)}")
        if step.timeout_at_ms is not None:
            hints.append(f"timeout at {iso(step.timeout_at_ms)}")
        return View(
            id=name,
            title=step.name,
            note=note,
            look=look,
            url=self._url(fact) if fact else "",
            hint=" · ".join(hints),
            timeout_at_ms=step.timeout_at_ms,
            since_ms=step.started_ms if step.status is Status.RUNNING else None,
            begun=step.status in _REACHED,
            current=step.status is Status.RUNNING,
            undo=undo,
            spent=_spent(step.started_ms, step.timeout_at_ms, self._now_ms),
        )


def _spent(since_ms: int | None, until_ms: int | None, now_ms: int) -> float:
    if since_ms is None or until_ms is None or until_ms <= since_ms:
        return 0
    return round(BAR * min(1, max(0, (now_ms - since_ms) / (until_ms - since_ms))), 1)


def countdown(left_ms: int) -> str:
    """Return the time to a timeout, or over it: `timeout in 0:24`, `overdue by 1:02`.

    `saga.js` says the same every second.
    """
    seconds = abs(left_ms) // 1_000
    minutes = seconds // 60
    told = f"{minutes}:{seconds % 60:02}" if minutes < 60 else duration(seconds * 1_000_000)
    return f"timeout in {told}" if left_ms >= 0 else f"overdue by {told}"


def _waits_for_end(one: Instance) -> bool:
    """Tell whether only the end is to come."""
    running = any(
        step.status is Status.RUNNING
        or (step.compensation is not None and step.compensation.status is Status.RUNNING)
        for step in one.steps
    )
    return one.phase.open and one.phase is not Phase.FAILED and bool(one.step) and not running
