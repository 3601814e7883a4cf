"""Sagas as a list: what a filter asks for, in an order that a cursor continues."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from django.db.models import Model, Q

from tracing.domain.saga.instance import Flag, Phase
from tracing.domain.text import clean, hash64
from tracing.models import SagaCount, SagaFlag, SagaFlow, SagaInstance, SearchKey
from tracing.projections import saga_facts
from tracing.projections.saga_decisions import applied_sagas
from tracing.projections.saga_reading import SagaLine, lines_of, shown
from tracing.projections.sieve import sieve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.db.models import QuerySet

    # What orders a saga in a list, and its id.
    Place = tuple[int, str]
    Chunk = list[tuple[Place, SagaInstance | None]]
    # Read so many from behind a place on.
    Read = Callable[[Place | None, int], Chunk]

T = TypeVar("T", bound=Model)
# What a filter without an index tests at most; then it says so and goes on by cursor.
MAX_TESTED = 2_000
_CHUNK = 200
_MAX_COUNTS = 5_000
PHASES = {phase.name.lower(): phase for phase in Phase}
FLAGS = {flag.code: flag for flag in Flag}


class SagaFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What the list is asked for; '' filters nothing.

    `state` is a definition's name of a state or a phase, `flag` a flag's code, `overdue` and
    `stuck` are `1`, `key` is a whole business key, correlation id or starting record's key. `step`
    is where it waits; with `flag`, the step that the flag is about.
    """

    definition: str = ""
    state: str = ""
    overdue: str = ""
    stuck: str = ""
    flag: str = ""
    step: str = ""
    key: str = ""


class SagaPage(msgspec.Struct, frozen=True):
    """Sagas; `next` continues, None at the end; `tested` were looked at."""

    lines: tuple[SagaLine, ...]
    next: str | None
    tested: int


def parse_filter(given: Mapping[str, str]) -> SagaFilter:
    """Return the filter of a query string; what is not known is left out."""
    return SagaFilter(
        **{name: clean(given.get(name, "").strip()) for name in SagaFilter.__struct_fields__}
    )


def nameable(definition: str = "") -> dict[str, list[str]]:
    """Return what a list may be filtered by, of one definition or of all, each in order.

    By the filter's name: the definitions in force and those that have instances, their states
    and steps. One query, of counters.
    """
    versions = applied_sagas().versions
    rows = SagaCount.objects.filter(n__gt=0).values_list("definition", "state", "step")
    counted = list(rows[:_MAX_COUNTS])
    definitions = sorted({*versions, *(name for name, _, _ in counted)})
    states, steps = list(PHASES), list[str]()
    for name in [definition] if definition else definitions:
        for version in versions.get(name, ()):
            one = version.definition
            undos = [step.compensation.name for step in one.steps if step.compensation]
            named = one.states
            states += [named.started, *(step.state for step in one.steps), named.compensating]
            states += [named.failed, named.completed, named.cancelled]
            # Who waits for an end alone waits at its state.
            steps += [*(step.name for step in one.steps), *undos, named.completed, named.cancelled]
        states += sorted(state for of, state, _ in counted if of == name)
        steps += sorted(step for of, _, step in counted if of == name and step)
    return {
        "definition": definitions,
        "state": list(dict.fromkeys(states)),
        "step": list(dict.fromkeys(steps)),
    }


def list_sagas(wanted: SagaFilter, *, cursor: str | None, limit: int, now_ms: int) -> SagaPage:
    """Return one page of sagas, the newest first.

    Ordered by what the filter asks for: those at a step by how long they have been there, overdue
    and stuck ones by since when, all others by their start. Predicates that no index answers test
    at most `MAX_TESTED`; then `next` goes on.
    """
    page = sieve(
        _candidates(wanted, cursor, limit, now_ms),
        lambda placed: _matches(placed[1], wanted, now_ms),
        limit=limit,
        most=MAX_TESTED,
    )
    lines = lines_of(row for _, row in page.found)
    # A hash found them: the whole key decides.
    named = [line for line in lines if not wanted.key or wanted.key in {line.name, line.key}]
    return SagaPage(tuple(named), page.last[0] if page.more and page.last else None, page.tested)


def _candidates(
    wanted: SagaFilter, cursor: str | None, limit: int, now_ms: int
) -> Iterator[tuple[str, SagaInstance]]:
    """Yield (its place, saga) in order, from behind a place on, each once."""
    read = _flagged(wanted) if wanted.flag and not wanted.key else _indexed(wanted, now_ms)
    after, size = _place(cursor), min(limit + 1, _CHUNK)
    while True:
        chunk = read(after, size)
        # One that bears a flag at several steps is there more than once.
        for (value, saga), row in dict(chunk).items():
            if row is not None:
                yield f"{value}-{saga}", row
        if len(chunk) < size:
            return
        after, size = chunk[-1][0], _CHUNK


def _behind(query: QuerySet[T], column: str, saga: str, after: Place | None) -> QuerySet[T]:
    """Return what follows a place, in the order of a column and then of the saga's id."""
    if after is not None:
        later = Q(**{f"{column}__lt": after[0]}) | Q(**{column: after[0], f"{saga}__lt": after[1]})
        query = query.filter(later, **{f"{column}__lte": after[0]})
    return query.order_by(f"-{column}", f"-{saga}")


def _rows(wanted: SagaFilter) -> QuerySet[SagaInstance]:
    """Return the sagas, with the facts where these say at which step the flag is."""
    return shown().defer(None) if wanted.flag and wanted.step else shown()


def _indexed(wanted: SagaFilter, now_ms: int) -> Read:
    """Return how to read the sagas by what an index answers."""
    query, column = _ordered(wanted, now_ms)

    def read(after: Place | None, size: int) -> Chunk:
        rows = _behind(query, column, "id", after)[:size]
        return [((getattr(row, column), row.id), row) for row in rows]

    return read


def _ordered(wanted: SagaFilter, now_ms: int) -> tuple[QuerySet[SagaInstance], str]:
    """Return the sagas by what an index answers, and the column that orders them."""
    query = _rows(wanted)
    if wanted.key:
        hashed = SearchKey.objects.filter(key_hash=hash64(wanted.key)).order_by("-flow_id")
        flows = list(hashed.values_list("flow_id", flat=True)[:_CHUNK])
        named = SagaFlow.objects.filter(flow_id__in=flows).values_list("saga", flat=True)
        return query.filter(Q(key=wanted.key) | Q(id__in=list(named))), "started_ms"
    if wanted.stuck:
        return query.filter(stuck_from_ms__lt=now_ms), "stuck_from_ms"
    if wanted.overdue:
        return query.filter(timeout_at_ms__lt=now_ms), "timeout_at_ms"
    if wanted.definition:
        query = query.filter(definition=wanted.definition)
        if wanted.step:
            at_step = query.filter(step=wanted.step, ended_ms=None, since_ms__isnull=False)
            return at_step, "since_ms"
        if wanted.state and wanted.state not in PHASES:
            query = query.filter(state=wanted.state)
    return query.filter(started_ms__isnull=False), "started_ms"


def _flagged(wanted: SagaFilter) -> Read:
    """Return how to read the sagas with a flag; those that no definition covers are None."""
    flags = SagaFlag.objects.filter(flag=FLAGS.get(wanted.flag, 0))

    def read(after: Place | None, size: int) -> Chunk:
        places = list(
            _behind(flags, "started_ms", "saga", after).values_list("started_ms", "saga")[:size]
        )
        rows = _rows(wanted).in_bulk({saga for _, saga in places})
        return [(place, rows.get(place[1])) for place in places]

    return read


def _matches(row: SagaInstance, wanted: SagaFilter, now_ms: int) -> bool:
    if wanted.definition and row.definition != wanted.definition:
        return False
    if wanted.state in PHASES:
        if row.phase != PHASES[wanted.state]:
            return False
    elif wanted.state and row.state != wanted.state:
        return False
    if wanted.step and not wanted.flag and (row.step != wanted.step or row.ended_ms is not None):
        return False
    if wanted.overdue and not (row.timeout_at_ms is not None and row.timeout_at_ms < now_ms):
        return False
    if wanted.stuck and not (row.stuck_from_ms is not None and row.stuck_from_ms < now_ms):
        return False
    return not wanted.flag or _bears(row, wanted)


def _bears(row: SagaInstance, wanted: SagaFilter) -> bool:
    """Tell whether a saga bears the flag, at the step if one is asked for."""
    flag = FLAGS.get(wanted.flag)
    if flag is None or not row.flags & 1 << flag:
        return False
    if not wanted.step:
        return True
    effects = saga_facts.load_effects(row.facts)
    return any(code == flag and step == wanted.step for code, _, step in effects.flags)


def _place(cursor: str | None) -> Place | None:
    at, _, saga = (cursor or "").partition("-")
    if not (at.isascii() and at.isdigit() and len(at) < 16 and len(saga) <= 32):
        return None
    return int(at), saga
