"""Sagas as pages and the API read them: all by index, bounded whatever the data's size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.db.models import Q

from tracing.domain.saga.definition import BY_CORRELATION, Definition
from tracing.domain.saga.derive import judge
from tracing.domain.saga.instance import Flag, Instance, Phase
from tracing.domain.text import clean, hash64
from tracing.models import Event, Flow, SagaFlag, SagaFlow, SagaInstance, SearchKey
from tracing.projections import packing, saga_facts
from tracing.projections.names import names
from tracing.projections.saga_decisions import applied_sagas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django.db.models import QuerySet

    from tracing.domain.facts import Fact

# What a filter without an index tests at most; then it says so and goes on by cursor.
MAX_TESTED = 2_000
# A flow that bears more sagas than this lists the first.
MAX_OF_A_FLOW = 20
_CHUNK = 200
_IN = 500
_NONE: tuple[str | None, str | None] = (None, None)
PHASES = {phase.name.lower(): phase for phase in Phase}
FLAGS = {flag.code: flag for flag in Flag}


class SagaFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What the list is asked for; '' filters nothing.

    `state` is a definition's name of a state or a phase, `flag` a flag's code, `overdue` and
    `stuck` are `1`, `key` is a whole business key, correlation id or starting record's key.
    """

    definition: str = ""
    state: str = ""
    overdue: str = ""
    stuck: str = ""
    flag: str = ""
    step: str = ""
    key: str = ""


class SagaLine(msgspec.Struct, frozen=True, kw_only=True):
    """One saga without its steps. Times are Kafka's; see `models.SagaInstance`.

    `name` is what people call it: its business key, or the starting record's where instances are
    told apart by correlation. `reason` is the failure's.
    """

    id: str
    definition: str
    version: int
    key: str
    flow_id: int | None
    correlation_id: str
    phase: Phase
    state: str
    step: str
    flags: tuple[Flag, ...]
    started_ms: int
    ended_ms: int | None
    last_ms: int
    since_ms: int | None
    timeout_at_ms: int | None
    stuck_from_ms: int | None
    position: int
    name: str
    reason: str

    def is_overdue(self, now_ms: int) -> bool:
        """Tell whether a timeout has passed."""
        return self.timeout_at_ms is not None and self.timeout_at_ms < now_ms

    def is_stuck(self, now_ms: int) -> bool:
        """Tell whether a timeout has passed and nothing has moved since."""
        return self.stuck_from_ms is not None and self.stuck_from_ms < now_ms


class SagaPage(msgspec.Struct, frozen=True):
    """Sagas; `next` continues, None at the end; `tested` were looked at."""

    lines: tuple[SagaLine, ...]
    next: str | None
    tested: int


class Said(msgspec.Struct, frozen=True):
    """What an event of a saga says beyond its fact."""

    event_id: str
    correlation_id: str
    reason: str


class SagaDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One saga as a whole; `said` is by record and part."""

    line: SagaLine
    definition: Definition
    instance: Instance
    said: dict[tuple[int, int], Said]

    def of(self, fact: Fact | None) -> Said | None:
        """Return what the event of a fact says, None when it is stored no longer."""
        return None if fact is None else self.said.get((fact.record, fact.part))


def parse_filter(given: Mapping[str, str]) -> SagaFilter:
    """Return the filter of a query string; what is not known is left out."""
    return SagaFilter(
        **{name: clean(given.get(name, "").strip()) for name in SagaFilter.__struct_fields__}
    )


def read_saga(saga_id: str) -> SagaDetail | None:
    """Return one saga, None when there is none, or none that a definition in force covers.

    Costs a look-up by key and one of its events' rows by record.
    """
    row = SagaInstance.objects.filter(id=saga_id, phase__gte=0).first()
    if row is None:
        return None
    facts = packing.unpack(saga_facts.load(row.facts).facts, names())
    found = judge(facts, applied_sagas().versions.get(row.definition, ()), row.rule)
    if found is None:
        return None
    said = _said(facts)
    version, instance = found
    line = next(iter(_lines([row])))
    return SagaDetail(
        line=msgspec.structs.replace(line, version=version.number, state=instance.state),
        definition=version.definition,
        instance=instance,
        said=said,
    )


def read_line(saga_id: str) -> SagaLine | None:
    """Return one saga without its steps. Two look-ups by key."""
    return next(iter(_lines(_rows().filter(id=saga_id)[:1])), None)


def sagas_of_flows(flow_ids: Iterable[int]) -> list[SagaLine]:
    """Return the sagas that have an event in one of these flows, the first ones."""
    found = SagaFlow.objects.filter(flow_id__in=list(flow_ids)).order_by("flow_id", "saga")
    ids = list(found.values_list("saga", flat=True)[:MAX_OF_A_FLOW])
    return sorted(_lines(_rows().filter(id__in=ids)), key=lambda line: (line.started_ms, line.id))


def list_sagas(wanted: SagaFilter, *, cursor: str | None, limit: int, now_ms: int) -> SagaPage:
    """Return one page of sagas, the newest first.

    Ordered by what the filter asks for: those at a step by how long they have been there, overdue
    and stuck ones by since when, all others by their start. Predicates that no index answers test
    at most `MAX_TESTED`; then `next` goes on.
    """
    rows: list[SagaInstance] = []
    tested, following = 0, ""
    ended = True
    for place, row in _candidates(wanted, cursor, limit, now_ms):
        if len(rows) == limit or tested == MAX_TESTED:
            ended = False
            break
        tested += 1
        following = place
        if _matches(row, wanted, now_ms):
            rows.append(row)
    # A hash found them: the whole key decides.
    lines = [line for line in _lines(rows) if not wanted.key or wanted.key in {line.name, line.key}]
    return SagaPage(tuple(lines), None if ended else following, tested)


def _rows() -> QuerySet[SagaInstance]:
    return SagaInstance.objects.defer("facts").filter(phase__gte=0)


def _candidates(
    wanted: SagaFilter, cursor: str | None, limit: int, now_ms: int
) -> Iterator[tuple[str, SagaInstance]]:
    """Yield (its place, saga) in order, from behind a place on."""
    if wanted.flag and not wanted.key:
        yield from _flagged(wanted, cursor, limit)
        return
    query, column = _indexed(wanted, now_ms)
    after = _place(cursor)
    size = min(limit + 1, _CHUNK)
    while True:
        behind = query
        if after is not None:
            value, saga = after
            later = Q(**{f"{column}__lt": value}) | Q(**{column: value, "id__lt": saga})
            behind = query.filter(later, **{f"{column}__lte": value})
        chunk = list(behind.order_by(f"-{column}", "-id")[:size])
        for row in chunk:
            yield f"{getattr(row, column)}-{row.id}", row
        if len(chunk) < size:
            return
        after = (getattr(chunk[-1], column), chunk[-1].id)
        size = _CHUNK


def _indexed(wanted: SagaFilter, now_ms: int) -> tuple[QuerySet[SagaInstance], str]:
    """Return the sagas by what an index answers, and the column that orders them."""
    query = _rows()
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


def _flagged(
    wanted: SagaFilter, cursor: str | None, limit: int
) -> Iterator[tuple[str, SagaInstance]]:
    """Yield the sagas with a flag, each once."""
    flag = FLAGS.get(wanted.flag)
    if flag is None:
        return
    query = SagaFlag.objects.filter(flag=flag).order_by("-started_ms", "-saga", "-step")
    after = _place(cursor)
    size = min(limit + 1, _CHUNK)
    while True:
        behind = query
        if after is not None:
            started_ms, saga = after
            later = Q(started_ms__lt=started_ms) | Q(started_ms=started_ms, saga__lt=saga)
            behind = query.filter(later, started_ms__lte=started_ms)
        chunk = list(behind.values_list("started_ms", "saga")[:size])
        rows = {row.id: row for row in _rows().filter(id__in={saga for _, saga in chunk})}
        for started_ms, saga in dict.fromkeys(chunk):
            if saga in rows:
                yield f"{started_ms}-{saga}", rows[saga]
        if len(chunk) < size:
            return
        # A saga whose flags a chunk cuts apart is not given twice: it lies before the place.
        after = chunk[-1]
        size = _CHUNK


def _matches(row: SagaInstance, wanted: SagaFilter, now_ms: int) -> bool:
    if wanted.definition and row.definition != wanted.definition:
        return False
    if wanted.state in PHASES:
        if row.phase != PHASES[wanted.state]:
            return False
    elif wanted.state and row.state != wanted.state:
        return False
    if wanted.step and (row.step != wanted.step or row.ended_ms is not None):
        return False
    if wanted.overdue and not (row.timeout_at_ms is not None and row.timeout_at_ms < now_ms):
        return False
    if wanted.stuck and not (row.stuck_from_ms is not None and row.stuck_from_ms < now_ms):
        return False
    return not wanted.flag or (wanted.flag in FLAGS and bool(row.flags & 1 << FLAGS[wanted.flag]))


def _place(cursor: str | None) -> tuple[int, str] | None:
    at, _, saga = (cursor or "").partition("-")
    if not (at.isascii() and at.isdigit() and len(at) < 16 and len(saga) <= 32):
        return None
    return int(at), saga


def _lines(rows: Iterable[SagaInstance]) -> Iterator[SagaLine]:
    """Yield rows as lines. Two look-ups: of their flows, and of what starts and fails them."""
    held = list(rows)
    flows = Flow.objects.filter(id__in={row.flow_id for row in held if row.flow_id})
    correlations = dict(flows.values_list("id", "correlation_id"))
    records = {record for row in held for record in (row.start, row.failure) if record}
    events = Event.objects.filter(record__in=records).order_by("-part")
    said = {
        record: (key, why) for record, key, why in events.values_list("record", "key", "reason")
    }
    for row in held:
        yield SagaLine(
            id=row.id,
            definition=row.definition,
            version=row.version,
            key=row.key,
            flow_id=row.flow_id,
            correlation_id=correlations.get(row.flow_id or 0, ""),
            phase=Phase(row.phase),
            state=row.state,
            step=row.step,
            flags=tuple(flag for flag in Flag if row.flags & 1 << flag),
            started_ms=row.started_ms or 0,
            ended_ms=row.ended_ms,
            last_ms=row.last_ms,
            since_ms=row.since_ms,
            timeout_at_ms=row.timeout_at_ms,
            stuck_from_ms=row.stuck_from_ms,
            position=row.position,
            name=(row.rule == BY_CORRELATION and said.get(row.start or 0, _NONE)[0]) or row.key,
            reason=said.get(row.failure or 0, _NONE)[1] or "",
        )


def _said(facts: Iterable[Fact]) -> dict[tuple[int, int], Said]:
    records = sorted({fact.record for fact in facts})
    found: dict[tuple[int, int], Said] = {}
    for start in range(0, len(records), _IN):
        rows = Event.objects.filter(record__in=records[start : start + _IN])
        columns = rows.values_list("record", "part", "event_id", "flow__correlation_id", "reason")
        for record, part, event_id, correlation_id, reason in columns:
            found[record, part] = Said(event_id, correlation_id, reason or "")
    return found
