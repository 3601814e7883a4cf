"""One sentence that says what happened in a flow, made from its events alone."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.rules import Role
from tracing.drawing.durations import duration
from tracing.drawing.words import clause_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_REASON = 120
# So many compensations are named, the rest is counted.
_NAMED = 3


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the sentence needs it; `cause` is an event id, in this flow or not.

    `logged_ms` is Kafka's time. `bare` is a record without an envelope, and `content` says what
    is in it instead of an event: `plain text, 15 bytes`. `role` is what the type says, `given_up`
    which consumers gave it up, and why, the first one first.
    """

    id: str
    type: str
    time_us: int
    logged_ms: int
    role: Role = Role.PLAIN
    bare: bool = False
    content: str = ""
    cause: str | None = None
    reason: str | None = None
    error: str | None = None
    given_up: tuple[str, ...] = ()


class Sentence(msgspec.Struct, frozen=True):
    """What happened. With `since_ms`, the time since then stands between `text` and `end`.

    It is Kafka's time: a producer's clock may be years off.
    """

    text: str
    since_ms: int | None = None
    end: str = ""


def tell(
    events: Sequence[Happening], *, state: str, total: int, services: int, duration_us: int
) -> Sentence:
    """Say what happened; `events` are sorted by time and place, one at least.

    `state` is the one shown: running, quiet, done, failed, compensated or plain. `total` counts
    the flow's events, also those that are not given.
    """
    failed = next((event for event in events if event.role & Role.FAILED), None)
    counted = _counted(total, services)
    if state == "plain":
        return Sentence(_plain(events, total))
    if failed is not None:
        return Sentence(_failure(events, failed))
    dead = [event for event in events if event.given_up]
    if dead:
        return Sentence(_given_up(dead))
    if state in {"failed", "compensated", "done"}:
        return Sentence(f"{_ended(events, state)} in {duration(duration_us)}: {counted}.")
    last = _last(events)
    name = clause_of(last.type).name
    if state == "running":
        return Sentence(f"Waiting for what comes after {name},", last.logged_ms, " so far.")
    return Sentence(f"Nothing has followed {name} for", last.logged_ms, f": {counted}.")


def _last(events: Sequence[Happening]) -> Happening:
    """Return the last event by Kafka's time; within a millisecond, one that led to nothing."""
    causes = {event.cause for event in events}
    return max(
        reversed(events), key=lambda event: (event.logged_ms, event.id not in causes, event.time_us)
    )


def _plain(events: Sequence[Happening], total: int) -> str:
    """Return what there is where no record names an event."""
    if total > 1:
        unread = sum(event.error is not None for event in events)
        told = f"None of the {total:,} records here names an event"
        return f"{told}; {unread:,} of them could not be read." if unread else f"{told}."
    [event] = events
    if event.error is not None:
        return f"This record could not be read: {_bounded(event.error)}."
    told = "This record has no envelope" if event.bare else "This event has no type"
    return f"{told}: {event.content}." if event.content else f"{told}."


def _ended(events: Sequence[Happening], state: str) -> str:
    """Return how it ended; of a large flow the telling event may not be among those given."""
    if state == "compensated":
        return _compensations(events, 0, begin=True) or "Steps were taken back"
    ends = [event.type for event in events if event.role & Role.END]
    if state == "done" and ends:
        return clause_of(ends[-1]).sentence
    return "Reached its end" if state == "done" else "Failed"


def _failure(events: Sequence[Happening], failed: Happening) -> str:
    told = clause_of(failed.type).sentence
    if failed.reason:
        told += f": {_bounded(failed.reason)}"
    by_id = {event.id: event for event in events}
    cause = by_id.get(failed.cause) if failed.cause else None
    if cause is not None and cause is not failed:
        passed = failed.time_us - cause.time_us
        delay = f"{duration(passed)} " if passed > 0 else ""
        told += f", {delay}after {clause_of(cause.type).clause}"
    place = next(index for index, event in enumerate(events) if event is failed)
    back = _compensations(events, place)
    if back:
        return f"{told}; {back}."
    return f"{told}. {_followed(failed, events[place + 1 :])}"


def _followed(failed: Happening, events: Sequence[Happening]) -> str:
    """Return `Stock release failed too: no such order. 2 more events followed.`"""
    if not events:
        return "Nothing has followed so far."
    too: dict[str, list[Happening]] = {}
    for event in events:
        if event.role & Role.FAILED:
            too.setdefault(event.type, []).append(event)
    named = dict(list(too.items())[:_NAMED])
    said = [_failed_too(again, known=kind == failed.type) for kind, again in named.items()]
    rest = [event for event in events if event.type not in named]
    if len(rest) == 1:
        clause = clause_of(rest[0].type)
        said.append(f"{clause.sentence} after it." if clause.verb else f"{clause.name} followed.")
    elif rest:
        more = sum(bool(event.role & Role.FAILED) for event in rest)
        told = f", {more} of them failed too" if more else ""
        said.append(f"{len(rest)} more events followed{told}.")
    return " ".join(said)


def _failed_too(again: Sequence[Happening], *, known: bool) -> str:
    told = f"{clause_of(again[0].type).sentence} {'again' if known else 'too'}"
    if len(again) > 1:
        told += f", {len(again)} times"
    reason = again[0].reason
    return f"{told}: {_bounded(reason)}." if reason else f"{told}."


def _given_up(dead: Sequence[Happening]) -> str:
    first = dead[0]
    who = "; then ".join(map(_bounded, first.given_up[:_NAMED]))
    told = f"{clause_of(first.type).sentence}, but {who}."
    if len(first.given_up) > _NAMED:
        told += f" {len(first.given_up) - _NAMED} more consumers gave it up too."
    rest = dead[1:]
    if len(rest) == 1:
        return f"{told} {clause_of(rest[0].type).name} was given up too."
    return f"{told} {len(rest)} more events were given up too." if rest else told


def _compensations(events: Sequence[Happening], start: int, *, begin: bool = False) -> str:
    """Return `the stock was released and the order cancelled`, or ''."""
    found = [event.type for event in events[start:] if event.role & Role.COMPENSATION]
    distinct = list(dict.fromkeys(found))
    clauses = [clause_of(event_type) for event_type in distinct[:_NAMED]]
    if not clauses:
        return ""
    parts = [clauses[0].sentence if begin else clauses[0].clause]
    for before, here in pairwise(clauses):
        # "the stock was released and the order cancelled": the same auxiliary is said once.
        shared = here.verb and before.verb and here.auxiliary == before.auxiliary
        parts.append(f"the {here.subject} {here.verb}" if shared else here.clause)
    if len(distinct) > _NAMED:
        parts.append(f"{len(distinct) - _NAMED} more steps taken back")
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _counted(events: int, services: int) -> str:
    told = f"{events:,} {'event' if events == 1 else 'events'}"
    if not services:
        return told
    return f"{told} from {services:,} {'service' if services == 1 else 'services'}"


def _bounded(text: str) -> str:
    flat = " ".join(text.split()).rstrip(".")
    return flat if len(flat) <= _MAX_REASON else f"{flat[: _MAX_REASON - 1]}…"
