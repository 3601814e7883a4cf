"""What pruning does to sagas."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from django.db import connection

from tracing.models import SagaFlow, SagaInstance
from tracing.projections import events, record_log, saga_facts
from tracing.projections.rows import prepare
from tracing.projections.saga_facts import Effects, Held
from tracing.projections.saga_keys import SagaKey
from tracing.projections.sagas import IN, Stored, count, difference, unflag, write

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tracing.projections.catalogue import Catalogue
    from tracing.projections.sagas import FlowOf, Row

_UNLINK = "DELETE FROM tracing_sagaflow WHERE flow_id = %s AND saga = %s"


def withdraw(flows: Collection[int], catalogue: Catalogue) -> None:
    """Take the events of pruned flows out of their sagas, before they go.

    A saga that has events in other flows is made again from those; all others go.
    """
    links = list(_links("flow_id", flows))
    sagas = {saga for _, saga in links}
    rest: dict[str, set[int]] = defaultdict(set)
    for flow_id, saga in _links("saga", sagas):
        if flow_id not in set(flows):
            rest[saga].add(flow_id)
    with connection.cursor() as cursor:
        cursor.executemany(_UNLINK, links)
    counts: Counter[Row] = Counter()
    ids = sorted(sagas)
    again: list[Stored] = []
    flow_of: FlowOf = {}
    for start in range(0, len(ids), IN):
        for row in SagaInstance.objects.filter(id__in=ids[start : start + IN]):
            held = saga_facts.load(row.facts)
            if row.id in rest:
                who = SagaKey(row.id, row.definition, row.rule, row.key)
                one = Stored(who, Held([], 0, held.effects), position=row.position)
                _refill(one, rest[row.id], flow_of, catalogue)
                again.append(one)
            else:
                difference(counts, row.definition, held.effects, Effects())
    gone = sorted(sagas - rest.keys())
    for start in range(0, len(gone), IN):
        SagaInstance.objects.filter(id__in=gone[start : start + IN]).delete()
    unflag(gone)
    count(counts)
    write(again, flow_of, catalogue)


def _links(column: str, values: Collection[Any]) -> Iterator[tuple[int, str]]:
    wanted = sorted(values)
    for start in range(0, len(wanted), IN):
        rows = SagaFlow.objects.filter(**{f"{column}__in": wanted[start : start + IN]})
        yield from rows.values_list("flow_id", "saga")


def _refill(one: Stored, flows: set[int], flow_of: FlowOf, catalogue: Catalogue) -> None:
    """Give an instance the facts that its flows still have, as their records say them."""
    for flow_id in sorted(flows):
        parts = {(row.record, row.part) for row in events.of_flows([flow_id])}
        records = sorted({record for record, _ in parts})
        for start in range(0, len(records), 500):
            rows = record_log.by_id(records[start : start + 500]).values()
            pairs = record_log.pairs(rows, catalogue)
            facts = [
                item.fact
                for item in prepare(pairs, catalogue)
                if one.who in item.sagas and (item.fact.record, item.event.part) in parts
            ]
            flow_of.update({(one.who.id, fact.record, fact.part): flow_id for fact in facts})
            saga_facts.add(one.held, facts, catalogue)
