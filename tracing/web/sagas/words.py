"""What a saga did, waits for and owes, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.domain.saga.instance import Flag, Phase, Status
from tracing.drawing.durations import duration
from tracing.drawing.words import clause_of
from tracing.web.sagas.looks import is_overdue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tracing.domain.facts import Fact
    from tracing.domain.saga.definition import Definition
    from tracing.domain.saga.instance import Flagged, Instance, Taken, Undoing

# So many steps are named, the rest is counted.
NAMED = 4
_LEFT = {Status.MISSING: "never came", Status.FAILED: "failed"}
_S = 1_000


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Something odd in words. With `late_ms`, `text` ends where the time over the timeout stands.

    `code` is stable; `record` is the event's that it is about, if there is one; `again` is the
    command that may be sent again.
    """

    code: str
    text: str
    tone: str = "fail"
    late_ms: int | None = None
    rest: str = ""
    record: int | None = None
    again: Fact | None = None


def span_ms(ms: int) -> str:
    """Return milliseconds as people say them, whole seconds from one on."""
    return duration(ms * 1_000 if ms < _S else ms // _S * 1_000_000).replace(".0 s", " s")


def listed(names: Sequence[str]) -> str:
    """Return `Reserve stock, Process payment and 998 more`."""
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: NAMED - 1])} and {len(names) - NAMED + 1:,} more"


def held(undo: str) -> str:
    """Return what a saga still has while a compensation is due: `holds its stock`.

    By the compensation's name: what stands behind its verb.
    """
    _, _, noun = undo.partition(" ")
    article, _, bare = noun.partition(" ")
    noun = bare if article.lower() in {"the", "a", "an"} else noun
    return f"still holds its {noun[:1].lower()}{noun[1:]}" if noun else "is not undone"


def story(one: Instance, reason: Callable[[Fact], str]) -> str:
    """Return what happened so far in one sentence or two; times that pass are told elsewhere."""
    if one.phase is Phase.COMPLETED:
        done = sum(step.status is Status.DONE for step in one.steps)
        took = span_ms(max((one.ended_ms or 0) - one.started_ms, 0))
        return f"Completed in {took}: {done:,} of {len(one.steps):,} steps done."
    why = _why(one, reason)
    if one.phase is Phase.CANCELLED:
        took = span_ms(max((one.ended_ms or 0) - one.started_ms, 0))
        undone = [undo.name for undo in _undone(one)]
        left = [f"{undo.name} {_LEFT[undo.status]}" for undo in _undos(one) if undo.status in _LEFT]
        told = f" Not undone: {listed(left)}." if left else ""
        told += f" Undone: {listed(undone)}." if undone else ""
        return f"Cancelled after {took}{why}.{told or ' There was nothing to undo.'}"
    if one.phase is Phase.RUNNING:
        return "" if one.step else "Nothing has happened since it began."
    said = why.removeprefix(": ")
    if one.phase is Phase.FAILED:
        # What failed first is why it turned back; what failed now is why it does not go on.
        sentences = [*_broken(one, reason), *_not_asked(one)]
        if said and all(undo.result is not one.failure for undo in _undos(one)):
            sentences.append(f"It turned back because {said}.")
        return " ".join(sentences)
    return f"{said[:1].upper()}{said[1:]}." if said else "It goes back."


def _broken(one: Instance, reason: Callable[[Fact], str]) -> Iterator[str]:
    for undo in reversed(_undos(one)):
        if undo.status is Status.FAILED:
            because = reason(undo.result) if undo.result else ""
            yield f"{undo.name} failed{f': {because}' if because else ''}."


def _not_asked(one: Instance) -> Iterator[str]:
    names = [undo.name for undo in reversed(_undos(one)) if undo.status is Status.WAITING]
    if names and for_a_person(one):
        yield f"{listed(names)} {'was' if len(names) == 1 else 'were'} not asked for yet."


def for_a_person(one: Instance) -> bool:
    """Tell whether nobody is at work any more: a compensation that failed waits for a person."""
    return one.phase is Phase.FAILED and all(
        step.status is not Status.RUNNING for step in _all(one)
    )


def unasked(one: Instance, definition: Definition) -> str:
    """Return that what it waits for was not asked for yet, '' when somebody may be at work."""
    for step, declared in zip(one.steps, definition.steps, strict=True):
        for way, told in ((step, declared), (step.compensation, declared.compensation)):
            if way is None or told is None or way.status is not Status.RUNNING:
                continue
            if told.command is not None and way.command is None:
                return f"Nobody is at work: its command {told.command} has not come."
    return ""


def to_come(one: Instance) -> str:
    """Return the steps to come in words, '' when nothing is."""
    if not one.to_come or one.to_come == (one.step,) or for_a_person(one):
        return ""
    back = one.phase is not Phase.RUNNING
    return f"{'Going back' if back else 'To come'}: {listed(one.to_come)}."


def flags_of(
    one: Instance, definition: Definition, name: str, reason: Callable[[Fact], str], *, now_ms: int
) -> Iterator[Said]:
    """Yield everything odd in words: what time makes of it first, then the flags."""
    yield from _late(one, definition, name, now_ms)
    for flagged in one.flags:
        yield _flag(flagged, one, name, reason)


def flag_title(flag: Flag, step: str, definition: Definition | None) -> str:
    """Return a flag of many sagas in words: `payment processed, never refunded`."""
    found = (
        next((one for one in definition.steps if one.name == step), None) if definition else None
    )
    undo = found.compensation if found else None
    if flag is Flag.MISSING_COMPENSATION and found and undo:
        done, undone = clause_of(found.success[0]), clause_of(undo.success[0])
        if done.verb and undone.verb:
            return f"{done.bare}, never {undone.verb}"
        return f"{found.name} done, {undo.name} never came"
    name = undo.name if undo and flag in _UNDO_FLAGS else step
    if flag is Flag.FAILED_COMPENSATION and name:
        return f"{name} failed"
    return f"{name}: {FLAGS[flag]}" if name else FLAGS[flag]


FLAGS = {
    Flag.MISSING_COMPENSATION: "compensation missing",
    Flag.FAILED_COMPENSATION: "compensation failed",
    Flag.DOUBLED_COMPENSATION: "compensated twice",
    Flag.MISORDERED_COMPENSATION: "compensated in the wrong order",
    Flag.UNEXPECTED_COMPENSATION: "compensated without need",
    Flag.DOUBLED_STEP: "done twice",
    Flag.SKIPPED_STEP: "skipped",
    Flag.CONTRADICTED_STEP: "done and failed",
    Flag.AFTER_THE_END: "events after the end",
}
_UNDO_FLAGS = {
    Flag.FAILED_COMPENSATION,
    Flag.DOUBLED_COMPENSATION,
    Flag.MISORDERED_COMPENSATION,
    Flag.UNEXPECTED_COMPENSATION,
}


def _why(one: Instance, reason: Callable[[Fact], str]) -> str:
    """Return `: Process payment failed, card declined` where something failed."""
    if one.failure is None:
        return ""
    failed = next((step.name for step in _all(one) if step.result is one.failure), "")
    told = f"{failed} failed" if failed else clause_of(one.failure.type).bare
    because = reason(one.failure)
    return f": {told}, {because}" if because else f": {told}"


def _all(one: Instance) -> Iterator[Taken | Undoing]:
    for step in one.steps:
        yield step
        if step.compensation is not None:
            yield step.compensation


def _undos(one: Instance) -> list[Undoing]:
    return [step.compensation for step in one.steps if step.compensation]


def _undone(one: Instance) -> list[Undoing]:
    done = [undo for undo in _undos(one) if undo.status is Status.DONE and undo.result]
    return sorted(done, key=lambda undo: undo.result.time_us if undo.result else 0)


def _late(one: Instance, definition: Definition, name: str, now_ms: int) -> Iterator[Said]:
    for step, declared in zip(one.steps, definition.steps, strict=True):
        undo, undoing = step.compensation, declared.compensation
        if is_overdue(step.timeout_at_ms, now_ms):
            yield _over(f"{name} waits for “{step.name}”: it is", step, declared.timeout_ms)
        if undo and undoing and is_overdue(undo.timeout_at_ms, now_ms):
            text = f"{name} {held(undo.name)}: “{undo.name}” is"
            yield _over(text, undo, undoing.timeout_ms)
    pending = any(step.timeout_at_ms for step in _all(one))
    if not pending and is_overdue(one.timeout_at_ms, now_ms):
        yield Said(
            code="overdue",
            text=f"{name} has not ended: “{one.step}” is",
            late_ms=one.timeout_at_ms,
            rest=_of(definition.ends.timeout_ms),
            tone="late",
        )


def _over(text: str, step: Taken | Undoing, timeout_ms: int | None) -> Said:
    record = step.command.record if step.command else None
    return Said(
        code="overdue",
        text=text,
        late_ms=step.timeout_at_ms,
        rest=_of(timeout_ms),
        tone="late",
        record=record,
    )


def _of(timeout_ms: int | None) -> str:
    return f"over its timeout of {span_ms(timeout_ms)}." if timeout_ms else "over its timeout."


def _flag(flagged: Flagged, one: Instance, name: str, reason: Callable[[Fact], str]) -> Said:
    flag = flagged.flag
    if flagged.step < 0:
        text = f"{name} went on after its end: events came that belong before it."
        return Said(code=flag.code, text=text, tone="back")
    step = one.steps[flagged.step]
    undo = step.compensation
    back = undo.name if undo else step.name
    fact = undo.result if undo and flag in _UNDO_FLAGS else step.result
    because = reason(fact) if fact else ""
    text = {
        Flag.MISSING_COMPENSATION: f"{name} was cancelled and {held(back)}: “{back}” never came.",
        Flag.FAILED_COMPENSATION: f"{name} {held(back)}: “{back}” failed"
        + (f", {because}." if because else "."),
        Flag.DOUBLED_COMPENSATION: f"“{back}” happened more than once.",
        Flag.MISORDERED_COMPENSATION: f"“{back}” came too early: what a later step did was undone"
        " after it.",
        Flag.UNEXPECTED_COMPENSATION: f"“{back}” happened although there was nothing to undo.",
        Flag.DOUBLED_STEP: f"“{step.name}” was done more than once, by different events.",
        Flag.SKIPPED_STEP: f"“{step.name}” was skipped: a later step was done without it.",
        Flag.CONTRADICTED_STEP: f"“{step.name}” both succeeded and failed, by different events.",
    }[flag]
    bad = flag in {Flag.MISSING_COMPENSATION, Flag.FAILED_COMPENSATION}
    return Said(
        code=flag.code,
        text=text,
        tone="fail" if bad else "back",
        record=fact.record if fact else None,
        again=undo.command if bad and undo else None,
    )
