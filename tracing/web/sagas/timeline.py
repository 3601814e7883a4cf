"""From what a saga did to the cards of its timeline: names, looks, words, links."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.saga.definition import Definition
from tracing.domain.saga.instance import Instance, Phase, Status, Taken
from tracing.drawing.durations import duration
from tracing.drawing.folding import OPENED, spans
from tracing.drawing.saga import draw
from tracing.drawing.saga_track import Item, Placed, Plan, Stop, Track
from tracing.web.sagas.cards import View, Views
from tracing.web.sagas.looks import LOOKS, undo_look_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracing.domain.facts import Fact

# A shorter pause between two steps is the ordinary way of a message.
_WAIT_US = 1_000_000
# What never came is on no way.
_BACK = {Status.RUNNING, Status.DONE, Status.FAILED, Status.WAITING}


class Drawn(msgspec.Struct, frozen=True):
    """A placed card with its view."""

    at: Placed
    view: View


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """A saga as the template draws it, and as the list shows it: steps and folds, with `undo`."""

    track: Track
    cards: list[Drawn]
    lines: list[View]
    folded: int


def timeline(
    one: Instance,
    definition: Definition,
    *,
    now_ms: int,
    url: Callable[[Fact], str],
    reason: Callable[[Fact], str],
    opened: int | None = None,
    base: str = "",
) -> Timeline:
    """Return the timeline; `opened` unfolds a long one from a step on, `base` is its address."""
    made = Views(one, definition, now_ms, url, reason)
    lines = [made.step(index) for index in range(len(one.steps))]
    start, completed, cancelled = made.start(), made.completed(), made.cancelled()
    dull = [_is_dull(step, now_ms) for step in one.steps]
    places = spans(dull, opened=opened)
    shown = [
        lines[place.start] if len(place) == 1 else _fold(lines, place, base) for place in places
    ]
    stops = [
        Stop(
            step=_item(view),
            group=definition.steps[place.start].group if len(place) == 1 else -3 - place.start,
            wait=_wait(one, definition, place.start) if len(place) == 1 else "",
            undo=None if view.undo is None else _item(view.undo),
        )
        for view, place in zip(shown, places, strict=True)
    ]
    drawn = {start.id: start, completed.id: completed, cancelled.id: cancelled}
    for view in shown:
        drawn[view.id] = view
        if view.undo is not None:
            drawn[view.undo.id] = view.undo
    back = list(_back(one, shown, places))
    if back or one.phase not in {Phase.RUNNING, Phase.COMPLETED}:
        back.append(cancelled.id)
    track = draw(
        Plan(
            start=_item(start),
            stops=tuple(stops),
            completed=_item(completed),
            cancelled=_item(cancelled),
            back=tuple(back),
            turned=_turned(one, shown, places) if back else None,
        )
    )
    cards = [Drawn(card, drawn[card.id]) for card in track.cards]
    folded = sum(len(place) for place in places if len(place) > 1)
    return Timeline(track=track, cards=cards, lines=shown, folded=folded)


def _item(view: View) -> Item:
    return Item(id=view.id, title=view.title, note=view.note, begun=view.begun)


def _is_dull(step: Taken, now_ms: int) -> bool:
    """Tell whether a step has nothing to tell in a long saga."""
    if step.status not in {Status.DONE, Status.WAITING, Status.NOT_REACHED}:
        return False
    undo = step.compensation
    return undo is None or undo_look_of(undo, now_ms).slug in {
        "not_needed",
        "waiting",
        "compensated",
    }


def _fold(lines: list[View], place: range, base: str) -> View:
    """Return one card for many steps; its link opens it."""
    views = [lines[index] for index in place]
    undos = [view.undo for view in views if view.undo is not None]
    name = f"fold-{place.start}"
    url = f"{base}?step={place.start}"
    return View(
        id=name,
        title=f"{len(views):,} steps",
        note=_counted(views),
        look=views[-1].look if len({view.look.slug for view in views}) == 1 else LOOKS["waiting"],
        url=url,
        hint=f"{views[0].title} to {views[-1].title}: open {min(len(views), OPENED)} of them",
        begun=views[-1].begun,
        fold=len(views),
        undo=View(
            id=f"undo-{name}",
            title=f"{len(undos):,} steps back",
            note=_counted(undos),
            look=undos[0].look
            if len({view.look.slug for view in undos}) == 1
            else LOOKS["waiting"],
            url=url,
            begun=undos[0].begun,
            fold=len(undos),
        )
        if undos
        else None,
    )


def _counted(views: list[View]) -> str:
    counts = Counter(view.look.word for view in views)
    if len(counts) == 1:
        return f"all {next(iter(counts))}"
    return ", ".join(f"{count:,} {word}" for word, count in counts.most_common())


def _wait(one: Instance, definition: Definition, index: int) -> str:
    """Return how long nobody was at work before a step: from the last result to its command."""
    step = one.steps[index]
    if step.command is None:
        return ""
    group = definition.steps[index].group
    before = [
        other.result.time_us
        for other, declared in zip(one.steps[:index], definition.steps, strict=False)
        if declared.group < group and other.result is not None
    ]
    waited = step.command.time_us - max([one.start.time_us, *before])
    return f"waited {duration(waited)}" if waited >= _WAIT_US else ""


def _back(one: Instance, shown: list[View], places: list[range]) -> Iterator[str]:
    """Yield the lower track's cards in the order in which the saga goes back through them."""
    found: list[tuple[tuple[int, int], str]] = []
    for view, place in zip(shown, places, strict=True):
        undos = [one.steps[index].compensation for index in place]
        due = [undo for undo in undos if undo is not None and undo.status in _BACK]
        if view.undo is None or not due:
            continue
        ends = [undo.result.time_us for undo in due if undo.result is not None]
        # What is undone stands in the order of time, what is to come behind it in reverse.
        order = (0, min(ends)) if ends else (1, -place.start)
        found.append((order, view.undo.id))
    yield from (name for _, name in sorted(found))


def _turned(one: Instance, shown: list[View], places: list[range]) -> str | None:
    """Return the card of the step at which it turned back."""
    failed = [index for index, step in enumerate(one.steps) if step.status is Status.FAILED]
    for view, place in zip(shown, places, strict=True):
        if failed and failed[0] in place:
            return view.id
    return None
