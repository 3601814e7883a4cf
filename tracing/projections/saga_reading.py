"""One saga, and the line of one, as pages and the API read them. Lists: `saga_listing`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.domain.saga.definition import BY_CORRELATION, Definition
from tracing.domain.saga.derive import judge
from tracing.domain.saga.instance import Flag, Instance, Phase
from tracing.models import Flow, SagaInstance
from tracing.projections import events, packing, saga_facts
from tracing.projections.names import names
from tracing.projections.plain_sql import among, select
from tracing.projections.saga_decisions import applied_sagas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

    from tracing.domain.facts import Fact

# A flow that bears more sagas than this lists the first.
MAX_OF_A_FLOW = 20
_IN = 500
_NONE: tuple[str | None, str | None] = (None, None)


class FlagAt(msgspec.Struct, frozen=True):
    """A flag with the names of the step that it is about and of what undoes it, '' for none."""

    flag: Flag
    step: str
    undo: str


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
    flags: tuple[FlagAt, ...]
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


def read_saga(saga_id: str) -> SagaDetail | None:
    """Return one saga, None when there is none, or none that a definition in force covers.

    Costs a look-up by key and a few of its events by record.
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
    line = next(iter(lines_of([row])))
    return SagaDetail(
        line=msgspec.structs.replace(line, version=version.number, state=instance.state),
        definition=version.definition,
        instance=instance,
        said=said,
    )


def read_line(saga_id: str) -> SagaLine | None:
    """Return one saga without its steps. A few look-ups by key."""
    return next(iter(lines_of(shown().filter(id=saga_id)[:1])), None)


def sagas_of_flows(flow_ids: Iterable[int]) -> list[SagaLine]:
    """Return the sagas that have an event in one of these flows, the first ones."""
    wanted = list(flow_ids)
    condition = f"{among('flow_id', wanted)} ORDER BY flow_id, saga LIMIT {MAX_OF_A_FLOW}"
    ids = [saga for (saga,) in select(("saga",), "tracing_sagaflow", condition, wanted)]
    if not ids:
        return []
    return sorted(lines_of(shown().filter(id__in=ids)), key=lambda line: (line.started_ms, line.id))


def shown() -> QuerySet[SagaInstance]:
    """Return what a definition covers, without its facts."""
    return SagaInstance.objects.defer("facts").filter(phase__gte=0)


def lines_of(rows: Iterable[SagaInstance]) -> Iterator[SagaLine]:
    """Yield rows as lines.

    A look-up of their flows, and a few of what starts and fails them; one more where one is
    flagged.
    """
    held = list(rows)
    flags = _flags([row for row in held if row.flags])
    flows = Flow.objects.filter(id__in={row.flow_id for row in held if row.flow_id})
    correlations = dict(flows.values_list("id", "correlation_id"))
    records = {record for row in held for record in (row.start, row.failure) if record}
    rows_said = reversed(events.of_records(records))
    said = {event.record: (event.key, event.reason) for event in rows_said}
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
            flags=flags.get(row.id, ()),
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


def _flags(flagged: list[SagaInstance]) -> dict[str, tuple[FlagAt, ...]]:
    """Return the flags of those that bear some, by saga."""
    if not flagged:
        return {}
    undos = {
        (name, version.number, step.name): step.compensation.name
        for name in {row.definition for row in flagged}
        for version in applied_sagas().versions.get(name, ())
        for step in version.definition.steps
        if step.compensation is not None
    }
    rows = SagaInstance.objects.filter(id__in=[row.id for row in flagged])
    return {
        saga: tuple(
            FlagAt(Flag(flag), step, undos.get((definition, version, step), ""))
            for flag, _, step in saga_facts.load_effects(blob).flags
        )
        for saga, definition, version, blob in rows.values_list(
            "id", "definition", "version", "facts"
        )
    }


def _said(facts: Iterable[Fact]) -> dict[tuple[int, int], Said]:
    records = sorted({fact.record for fact in facts})
    found: dict[tuple[int, int], Said] = {}
    for start in range(0, len(records), _IN):
        for row in events.of_records(records[start : start + _IN]):
            said = Said(row.event_id, row.flow__correlation_id, row.reason or "")
            found[row.record, row.part] = said
    return found
