"""The sagas of one batch: read what is touched, derive, write what changed.

Runs inside the writer's transaction, behind the lock on `log_head`, in a fixed number of
statements; in none when no event of the batch is part of a saga.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings
from django.db import connection

from tracing.domain.saga.derive import judge
from tracing.models import SagaFlag, SagaInstance
from tracing.projections import bulk, events, packing, saga_facts
from tracing.projections.bulk import Columns
from tracing.projections.saga_decisions import applied_sagas
from tracing.projections.saga_facts import Effects, Held
from tracing.projections.saga_keys import SagaKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracing.domain.facts import Fact
    from tracing.domain.saga.instance import Instance
    from tracing.projections.catalogue import Catalogue
    from tracing.projections.rows import Prepared

    Row = tuple[Any, ...]
    # The flow of an event of a saga: by the saga's id, record and part.
    FlowOf = dict[tuple[str, int, int], int]

INSTANCES = Columns(
    "tracing_sagainstance",
    (
        ("id", "text"),
        ("version", "int4"),
        ("phase", "int2"),
        ("state", "text"),
        ("step", "text"),
        ("flags", "int4"),
        ("started_ms", "int8"),
        ("ended_ms", "int8"),
        ("last_ms", "int8"),
        ("since_ms", "int8"),
        ("timeout_at_ms", "int8"),
        ("stuck_from_ms", "int8"),
        ("start", "int8"),
        ("failure", "int8"),
        ("flow_id", "int8"),
        ("position", "int8"),
        ("facts", "bytea"),
        ("definition", "text"),
        ("rule", "text"),
        ("key", "text"),
    ),
)
# What a batch changes in an instance; the rest is its identity.
_CHANGING = len(INSTANCES.columns) - 3
_FLOWS = Columns("tracing_sagaflow", (("flow_id", "int8"), ("saga", "text")))
_FLAGS = Columns(
    "tracing_sagaflag",
    (
        ("saga", "text"),
        ("flag", "int2"),
        ("step", "int2"),
        ("definition", "text"),
        ("started_ms", "int8"),
    ),
)
_COUNTERS = {
    "sagacount": ("definition", "phase", "state", "step"),
    "sagaflagcount": ("definition", "flag", "step"),
    "sagaduration": ("definition", "step", "bucket"),
}
# Not (yet) a saga: no definition covers a starting event among its facts.
NONE = -1
IN = 5_000


class Stored(msgspec.Struct):
    """An instance on its way: as it stands in the table, and the facts that it has now."""

    who: SagaKey
    held: Held
    new: bool = False
    position: int = 0
    flow_id: int | None = None
    start: int | None = None


def project(
    prepared: Sequence[Prepared],
    positions: Sequence[int],
    flow_ids: Sequence[int],
    catalogue: Catalogue,
) -> None:
    """Fold a batch of events into their sagas."""
    touched: dict[SagaKey, list[int]] = defaultdict(list)
    for index, item in enumerate(prepared):
        for who in item.sagas:
            touched[who].append(index)
    if not touched:
        return
    stored = _read(touched)
    flows: set[tuple[int, str]] = set()
    flow_of: FlowOf = {}
    for who, indexes in touched.items():
        one = stored[who.id]
        saga_facts.add(one.held, [prepared[index].fact for index in indexes], catalogue)
        one.position = max(one.position, *(positions[index] for index in indexes))
        for index in indexes:
            flows.add((flow_ids[index], who.id))
            fact = prepared[index].fact
            flow_of[who.id, fact.record, fact.part] = flow_ids[index]
    bulk.insert_missing(_FLOWS, sorted(flows))
    write(list(stored.values()), flow_of, catalogue)


def _read(wanted: Iterable[SagaKey]) -> dict[str, Stored]:
    """Return these instances, new ones empty. One statement for `IN` of them."""
    by_id = {who.id: who for who in wanted}
    ids = sorted(by_id)
    found: dict[str, Stored] = {}
    for start in range(0, len(ids), IN):
        rows = SagaInstance.objects.filter(id__in=ids[start : start + IN])
        columns = rows.values_list("id", "facts", "position", "flow_id", "start")
        for saga, blob, position, flow_id, first in columns:
            held = saga_facts.load(blob)
            found[saga] = Stored(by_id[saga], held, position=position, flow_id=flow_id, start=first)
    for saga, who in by_id.items():
        if saga not in found:
            found[saga] = Stored(who, Held([], 0, Effects()), new=True)
    return found


def write(stored: Sequence[Stored], flow_of: FlowOf, catalogue: Catalogue) -> None:
    """Derive instances from their facts, and write them and what they change in the counters."""
    counts: Counter[Row] = Counter()
    inserts: list[Row] = []
    updates: list[Row] = []
    unflagged: list[str] = []
    flags: list[Row] = []
    versions = applied_sagas().versions
    for one in sorted(stored, key=lambda one: one.who.id):
        who = one.who
        facts = packing.unpack(one.held.facts, catalogue)
        found = judge(facts, versions.get(who.definition, ()), who.rule)
        before = one.held.effects
        one.held.effects = after = Effects() if found is None else saga_facts.effects_of(*found)
        difference(counts, who.definition, before, after)
        if before.flags != after.flags or (found and one.start != found[1].start.record):
            if before.flags:
                unflagged.append(who.id)
            if found is not None:
                flags.extend(
                    (who.id, flag, step, who.definition, found[1].started_ms)
                    for flag, step, _ in after.flags
                )
        values = _values(one, found[0].number if found else 0, found[1] if found else None, flow_of)
        (inserts if one.new else updates).append((*values, who.definition, who.rule, who.key))
    bulk.insert(INSTANCES, inserts)
    bulk.replace(INSTANCES, _CHANGING, updates)
    unflag(unflagged)
    bulk.insert(_FLAGS, sorted(flags))
    count(counts)


def unflag(sagas: Sequence[str]) -> None:
    """Take all flags of these sagas away."""
    for start in range(0, len(sagas), IN):
        SagaFlag.objects.filter(saga__in=sagas[start : start + IN]).delete()


def _values(one: Stored, version: int, found: Instance | None, flow_of: FlowOf) -> Row:
    """Return what a batch changes in an instance."""
    blob = saga_facts.dump(one.held)
    if found is None:
        nothing = (None,) * 2
        return (
            *(one.who.id, 0, NONE, "", "", 0, *nothing, one.held.last_ms),
            *(None,) * 6,
            one.position,
            blob,
        )
    flags = 0
    for flagged in found.flags:
        flags |= 1 << flagged.flag
    stuck_ms = None
    if found.timeout_at_ms is not None:
        stuck_ms = (
            max(found.timeout_at_ms, one.held.last_ms) + settings.EVENTVIZ_SAGA_STUCK_S * 1_000
        )
    start = found.start
    return (
        one.who.id,
        version,
        int(found.phase),
        found.state,
        found.step,
        flags,
        found.started_ms,
        found.ended_ms,
        one.held.last_ms,
        found.since_ms,
        found.timeout_at_ms,
        stuck_ms,
        start.record,
        found.failure.record if found.failure else None,
        flow_of.get((one.who.id, start.record, start.part)) or _flow_of(one, start),
        one.position,
        blob,
    )


def _flow_of(one: Stored, start: Fact) -> int | None:
    """Return the flow of a starting event that was stored before this batch."""
    if one.start == start.record:
        return one.flow_id
    rows = events.of_records([start.record])
    return next((row.flow_id for row in rows if row.part == start.part), None)


def difference(counts: Counter[Row], definition: str, before: Effects, after: Effects) -> None:
    """Add to `counts` what an instance that changes from one to the other changes."""
    for effects, sign in ((before, -1), (after, 1)):
        if effects.count is not None:
            counts["sagacount", definition, *effects.count] += sign
        for flag, _, step in effects.flags:
            counts["sagaflagcount", definition, flag, step] += sign
        for step, number in effects.durations:
            counts["sagaduration", definition, step, number] += sign


def count(counts: Counter[Row]) -> None:
    """Change the counters; three statements at most."""
    by_table: dict[str, list[Row]] = defaultdict(list)
    for (table, *key), change in sorted(counts.items(), key=repr):
        if change:
            by_table[table].append((*key, change))
    with connection.cursor() as cursor:
        for table, rows in by_table.items():
            cursor.executemany(_upsert(table), rows)


def _upsert(table: str) -> str:
    names = ", ".join(_COUNTERS[table])
    marks = ", ".join(["%s"] * (len(_COUNTERS[table]) + 1))
    return (
        f"INSERT INTO tracing_{table} ({names}, n) VALUES ({marks})"  # noqa: S608
        f" ON CONFLICT ({names}) DO UPDATE SET n = tracing_{table}.n + excluded.n"
    )
