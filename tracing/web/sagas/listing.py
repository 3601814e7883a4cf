"""All sagas: definitions at a glance, and the list that a filter gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.template.loader import render_to_string

from tracing.domain.saga.instance import NOT_UNDONE, Phase
from tracing.drawing.durations import duration
from tracing.projections import saga_decisions, saga_listing, saga_overview
from tracing.projections.saga_listing import SagaFilter
from tracing.projections.saga_overview import COUNTED, MAX_STEPS
from tracing.projections.saga_reading import SagaLine
from tracing.web.context import now_ms
from tracing.web.flows.filters import Active
from tracing.web.menus import Menu, menu
from tracing.web.present import Sign, clock, iso, reason_words
from tracing.web.query import address
from tracing.web.sagas.cards import countdown
from tracing.web.sagas.looks import STANDS, sign_of_phase, stand_of
from tracing.web.sagas.present import PATH, definition_url, saga_url
from tracing.web.sagas.words import FLAGS, flag_title, span_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracing.domain.saga.definition import Definition
    from tracing.projections.saga_overview import Overview

PAGE = 50
# The steps, states and definitions that a menu offers.
MAX_CHOICES = 40
DAY_MS = 86_400_000
# So many flags of one saga are named in its line.
MAX_FLAGS = 4


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A count that leads to the sagas behind it."""

    sign: Sign
    words: str
    count: str
    url: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Who waits at a step, and how long it takes; `since` is empty when nobody waits.

    `at` says `before` of an end: every step is done, and who ends it has not said so.
    """

    name: str
    count: int
    since_ms: int | None
    since: str
    at: str
    url: str
    p50: str
    p95: str


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """One definition at a glance."""

    name: str
    url: str
    edit_url: str
    version: str
    total: int
    states: list[Number]
    late: list[Number]
    steps: list[Step]
    more_steps: int
    flags: list[Number]
    no_flags: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One saga as a line. `grave` says that the note tells what was not undone, or failed."""

    line: SagaLine
    url: str
    sign: Sign
    note: str
    timeout_at_ms: int | None
    age: str
    grave: bool


def url_with(wanted: SagaFilter, **changes: str) -> str:
    """Return the list with some filters changed; '' takes one off."""
    return address(PATH, {**msgspec.structs.asdict(wanted), **changes})


def page(wanted: SagaFilter, cursor: str = "") -> dict[str, Any]:
    """Return what `_sagas.html` shows."""
    at_ms = now_ms()
    found = saga_listing.list_sagas(wanted, cursor=cursor or None, limit=PAGE, now_ms=at_ms)
    declared = {
        name: versions[-1].definition
        for name, versions in saga_decisions.applied_sagas().versions.items()
    }
    # Whoever looks for something in all of them wants the list at once.
    overviews = []
    if wanted == SagaFilter() or wanted.definition:
        overviews = saga_overview.overviews(at_ms)
    boxes = [_box(one, at_ms) for one in overviews if wanted.definition in {"", one.name}]
    checked = wanted == SagaFilter() or wanted.flag
    return {
        "boxes": boxes,
        "rows": [_row(line, declared.get(line.definition), wanted, at_ms) for line in found.lines],
        "page": found,
        "more": url_with(wanted) + _cursor(wanted, found.next) if found.next else "",
        "filtered": wanted != SagaFilter(),
        "path": PATH,
        "now_ms": at_ms,
        "unknown": saga_overview.without_definition(at_ms) if checked else None,
        "defined": bool(declared),
    }


def fragment(wanted: SagaFilter) -> str:
    """Return the live part of the list for the socket."""
    return render_to_string("tracing/partials/_sagas.html", {**page(wanted), "oob": True})


def menus(wanted: SagaFilter) -> list[Menu]:
    """Return the filters' menus, by what the definitions name."""

    def url(**changes: str) -> str:
        return url_with(wanted, **changes)

    overviews = saga_overview.overviews(now_ms())
    given = msgspec.structs.asdict(wanted)
    shown = [one for one in overviews if wanted.definition in {"", one.name}]
    states = {phase.name.lower(): phase.name.lower() for phase in Phase}
    states |= {state: state for one in shown for _, state, _ in one.states}
    steps = [here.step for one in shown for here in one.here]
    steps += [pace.step for one in shown for pace in one.paces]

    def bounded(names: dict[str, str]) -> dict[str, str]:
        return dict(list(names.items())[:MAX_CHOICES])

    return [
        menu(url, given, "definition", bounded({one.name: one.name for one in overviews})),
        menu(url, given, "state", bounded(states), free=True),
        menu(url, given, "step", bounded({step: step for step in steps}), free=True),
        menu(url, given, "flag", {flag.code: words for flag, words in FLAGS.items()}),
    ]


def active(wanted: SagaFilter) -> list[Active]:
    """Return the filters that are on."""
    words = {flag.code: told for flag, told in FLAGS.items()} | {"1": "yes"}
    return [
        Active(
            name.capitalize(),
            words.get(text, text) if name in {"flag", "overdue", "stuck"} else text,
            url_with(wanted, **{name: ""}),
        )
        for name, text in msgspec.structs.asdict(wanted).items()
        if text
    ]


def _cursor(wanted: SagaFilter, place: str | None) -> str:
    joined = "&" if wanted != SagaFilter() else "?"
    return f"{joined}cursor={place}"


def _row(line: SagaLine, definition: Definition | None, wanted: SagaFilter, at_ms: int) -> Row:
    flagged = {one.flag for one in line.flags}
    sign = stand_of(line.phase, line.timeout_at_ms, line.stuck_from_ms, at_ms, flagged)
    flags = [flag_title(one.flag, one.step, definition) for one in line.flags[:MAX_FLAGS]]
    note = ", ".join(flags) or reason_words(line.reason)
    # What is odd says more than the clock, except to somebody who asks for the clock.
    timeout_at_ms = line.timeout_at_ms
    if flags and not (wanted.overdue or wanted.stuck):
        timeout_at_ms = None
    if timeout_at_ms is not None:
        note = countdown(timeout_at_ms - at_ms)
    end_ms = line.ended_ms if line.ended_ms is not None else at_ms
    return Row(
        line=line,
        url=saga_url(line.id),
        sign=sign,
        note=note,
        timeout_at_ms=timeout_at_ms,
        age=span_ms(max(end_ms - line.started_ms, 0)),
        grave=sign.tone == "fail" or (timeout_at_ms is None and bool(flagged & NOT_UNDONE)),
    )


def _box(one: Overview, at_ms: int) -> Box:
    url = address(PATH, {"definition": one.name})
    version = "ended" if one.version is None else f"version {one.version.number}"
    definition = one.version.definition if one.version else None
    return Box(
        name=one.name,
        url=url,
        edit_url=definition_url(one.name),
        version=version,
        total=one.total,
        states=[
            Number(
                sign=sign_of_phase(phase),
                words=state,
                count=f"{count:,}",
                url=address(PATH, {"definition": one.name, "state": state}),
            )
            for phase, state, count in one.states
        ],
        late=list(_late(one)),
        steps=list(_steps(one, at_ms)),
        more_steps=max(len(definition.steps) - MAX_STEPS, 0) if definition else 0,
        flags=[
            Number(
                sign=STANDS["failed"],
                words=flag_title(flagged.flag, flagged.step, definition),
                count=f"{flagged.count:,} of {one.total:,}",
                url=address(
                    PATH,
                    {"definition": one.name, "flag": flagged.flag.code, "step": flagged.step},
                ),
            )
            for flagged in one.flags
        ],
        no_flags=f"{one.total:,} checked, nothing odd" if one.total else "nothing to check yet",
    )


def _late(one: Overview) -> Iterator[Number]:
    for name, count in (("overdue", one.overdue), ("stuck", one.stuck)):
        if count:
            told = f"{count:,}" if count < COUNTED else f"{COUNTED:,}+"
            url = address(PATH, {"definition": one.name, name: "1"})
            yield Number(sign=STANDS[name], words=name, count=told, url=url)


def _steps(one: Overview, at_ms: int) -> Iterator[Step]:
    """Yield the steps, then what undoes them, then the ends that are waited for."""
    here = {found.step: found for found in one.here}
    paces = {found.step: found for found in one.paces}
    steps = one.version.definition.steps if one.version else ()
    declared = [step.name for step in steps]
    undos = [step.compensation.name for step in steps if step.compensation is not None]
    known = dict.fromkeys([*declared, *undos])
    shown = {*declared[:MAX_STEPS], *here, *paces}
    order = [name for name in known if name in shown]
    for name in [*order, *(name for name in here if name not in known)]:
        waiting, pace = here.get(name), paces.get(name)
        since_ms = waiting.since_ms if waiting else None
        yield Step(
            name=name,
            count=waiting.count if waiting else 0,
            since_ms=since_ms,
            since=_since(since_ms, at_ms) if since_ms is not None else "",
            at="at" if name in known else "before",
            url=address(PATH, {"definition": one.name, "step": name}),
            p50=_about(pace.p50_ms) if pace else "",
            p95=_about(pace.p95_ms) if pace else "",
        )


def _since(ms: int, at_ms: int) -> str:
    """Return the time of a day, with the day where it is not sure which."""
    return clock(ms)[:5] if at_ms - ms < DAY_MS else iso(ms)[5:16].replace("T", " ")


def _about(ms: float | None) -> str:
    """Return a duration that a bucket gives: it is no more exact than that."""
    if ms is None:
        return ""
    # The shortest bucket holds all that.
    return "< 1 ms" if ms < 1 else f"≈ {duration(round(ms * 1_000))}"
