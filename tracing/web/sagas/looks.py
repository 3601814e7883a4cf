"""How a step, a compensation and a saga look; styles, legend and lists are made from these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.domain.saga.instance import NOT_UNDONE, Phase, Status
from tracing.web.present import Sign, signs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.domain.saga.instance import Flag, Taken, Undoing

LOOKS = signs(
    Sign("done", "●", "done", "ok", "the step succeeded"),
    Sign("running", "◐", "running", "run", "somebody is at it, as far as we know"),
    Sign("waiting", "○", "waiting", "ghost", "its turn has not come"),
    Sign("failed", "✕", "failed", "fail", "an event says that it failed"),
    Sign("skipped", "»", "skipped", "ghost", "a later step was done without it"),
    Sign("not_reached", "□", "not reached", "ghost", "the saga ended or turned back before it"),
    Sign("overdue", "!", "overdue", "late", "it runs for longer than its timeout"),
    Sign("compensating", "◑", "compensating", "back", "what the step did is being undone"),
    Sign("compensated", "↩", "compensated", "back", "what the step did was undone"),
    Sign("missing", "∅", "missing", "fail", "the saga ended without undoing the step"),
    Sign("not_needed", "·", "not needed", "ghost", "there is nothing to undo"),
)
# A saga as a whole, by its phase and by what time makes of it.
STANDS = signs(
    Sign("running", "◐", "running", "run", "goes forward"),
    Sign("compensating", "◑", "compensating", "back", "goes back"),
    Sign("failed", "✕", "compensation failed", "fail", "nobody undoes what was done"),
    Sign("completed", "●", "completed", "ok", "reached its end"),
    Sign("cancelled", "↩", "cancelled", "back", "went back as far as needed"),
    Sign("not_undone", "∅", "cancelled, not undone", "fail", "ended without undoing a step"),
    Sign("overdue", "!", "overdue", "late", "past a timeout"),
    Sign("stuck", "!", "stuck", "late", "past a timeout, and nothing moves"),
)
_PHASES = {
    Phase.RUNNING: "running",
    Phase.COMPENSATING: "compensating",
    Phase.FAILED: "failed",
    Phase.COMPLETED: "completed",
    Phase.CANCELLED: "cancelled",
}
_UNDOING = {
    Status.RUNNING: "compensating",
    Status.DONE: "compensated",
    Status.SKIPPED: "not_needed",
    Status.NOT_REACHED: "not_needed",
}


def is_overdue(timeout_at_ms: int | None, now_ms: int) -> bool:
    """Tell whether a timeout has passed."""
    return timeout_at_ms is not None and timeout_at_ms < now_ms


def look_of(step: Taken, now_ms: int) -> Sign:
    """Return how a step looks."""
    return LOOKS["overdue" if is_overdue(step.timeout_at_ms, now_ms) else step.status.value]


def undo_look_of(undo: Undoing, now_ms: int) -> Sign:
    """Return how a compensation looks."""
    if is_overdue(undo.timeout_at_ms, now_ms):
        return LOOKS["overdue"]
    return LOOKS[_UNDOING.get(undo.status, undo.status.value)]


def sign_of_phase(phase: Phase) -> Sign:
    """Return how a phase looks, whatever the clock says."""
    return STANDS[_PHASES[phase]]


def stand_of(
    phase: int,
    timeout_at_ms: int | None,
    stuck_from_ms: int | None,
    now_ms: int,
    flags: Iterable[Flag] = (),
) -> Sign:
    """Return how a saga stands: its phase, or overdue or stuck by the clock.

    Its flags tell a clean cancellation from one that left something done.
    """
    if is_overdue(stuck_from_ms, now_ms):
        return STANDS["stuck"]
    if is_overdue(timeout_at_ms, now_ms):
        return STANDS["overdue"]
    if phase == Phase.CANCELLED and not NOT_UNDONE.isdisjoint(flags):
        return STANDS["not_undone"]
    return STANDS[_PHASES[Phase(phase)]]
