"""The flow rows of one batch: read what is touched, derive, write what changed.

Runs inside the writer's transaction, behind the lock on `log_head`. The number of statements does
not depend on the size of the batch.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import connection

from tracing.domain.derive import LARGE, FlowRow, derive, derive_large, merge, sums_of
from tracing.projections import bulk, packing
from tracing.projections.bulk import Columns
from tracing.projections.plain import plain_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tracing.domain.event import JoinedBy
    from tracing.projections.catalogue import Catalogue
    from tracing.projections.rows import Prepared

# What a batch changes in a flow; a new one has its identity besides.
_CHANGES = Columns(
    "tracing_flow",
    (
        ("id", "int8"),
        ("joined_by", "text"),
        ("state", "int2"),
        ("marks", "int4"),
        ("events", "int4"),
        ("records", "int4"),
        ("started_ms", "int8"),
        ("last_ms", "int8"),
        ("duration_us", "int8"),
        ("root", "int8"),
        ("failure", "int8"),
        ("strip", "text"),
        ("position", "int8"),
        ("facts", "bytea"),
    ),
)
_FLOWS = Columns(
    "tracing_flow",
    (*_CHANGES.columns, ("correlation_hash", "int8"), ("correlation_id", "text")),
)
_KEYS = Columns("tracing_searchkey", (("key_hash", "int8"), ("flow_id", "int8")))
_SELECT = (
    "SELECT id, correlation_id, joined_by, state, facts FROM tracing_flow WHERE correlation_hash"
)
_COUNT = """
INSERT INTO tracing_flowcount (state, flows) VALUES (%s, %s)
ON CONFLICT (state) DO UPDATE SET flows = tracing_flowcount.flows + excluded.flows
"""
# What joins the events; of several ways, the most explicit one names the flow's.
_RANK: dict[JoinedBy, int] = {"event": 0, "trace": 1, "correlation": 2}


_json = msgspec.json.Encoder().encode


class _Stored(msgspec.Struct):
    """A flow as it stands before the batch; a new one has no state."""

    id: int
    joined_by: JoinedBy
    state: int | None
    held: packing.Held


def project(
    prepared: Sequence[Prepared], positions: Sequence[int], catalogue: Catalogue
) -> list[int]:
    """Fold a batch of events into their flows; return each event's flow id, in order."""
    touched: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(prepared):
        touched[item.event.correlation_id].append(index)
    hashes = {item.event.correlation_id: item.flow_hash for item in prepared}
    flows = _read(hashes)
    counts: Counter[int] = Counter()
    inserts: list[tuple[Any, ...]] = []
    updates: list[tuple[Any, ...]] = []
    flow_ids = [0] * len(prepared)
    for correlation_id, indexes in touched.items():
        flow = flows[correlation_id]
        row = _fold(flow, [prepared[index] for index in indexes], catalogue)
        values = _values(flow, row, position=positions[indexes[-1]])
        if flow.state is None:
            inserts.append((*values, hashes[correlation_id], correlation_id))
            counts[row.state] += 1
        else:
            updates.append(values)
            counts[flow.state] -= 1
            counts[row.state] += 1
        for index in indexes:
            flow_ids[index] = flow.id
    bulk.insert(_FLOWS, inserts)
    bulk.update(_CHANGES, sorted(updates, key=itemgetter(0)))
    bulk.insert_missing(_KEYS, _search_keys(prepared, flow_ids))
    count(counts)
    return flow_ids


def count(changes: Mapping[int, int]) -> None:
    """Change how many flows stand in each state, also in one that had none. One statement."""
    rows = [(state, change) for state, change in sorted(changes.items()) if change]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_COUNT, rows)


def _read(wanted: Mapping[str, int]) -> dict[str, _Stored]:
    """Return the flows of these correlation ids, given with their hashes.

    Those that do not exist get the next ids.
    """
    hashes = list(wanted.values())
    found: dict[str, _Stored] = {}
    with connection.cursor() as cursor:
        for statement, parameters in _selects(hashes):
            cursor.execute(statement, parameters)
            for flow_id, correlation_id, joined_by, state, blob in cursor.fetchall():
                found[correlation_id] = _Stored(flow_id, joined_by, state, packing.load(blob))
        # Only the holder of `log_head` makes flows, so nobody else takes these ids.
        cursor.execute("SELECT COALESCE(MAX(id), 0) FROM tracing_flow")
        last_id: int = cursor.fetchone()[0]
    for correlation_id in wanted:
        if correlation_id not in found:
            last_id += 1
            found[correlation_id] = _Stored(last_id, "event", None, packing.Held(facts=[]))
    return found


def _selects(hashes: list[int]) -> Iterator[tuple[str, list[Any]]]:
    """Yield the statements that read the flows of these hashes, with their parameters."""
    if connection.vendor == "postgresql":
        yield f"{_SELECT} = ANY(%s)", [hashes]
        return
    # Below SQLite's limit of 32,766 parameters whatever the batch.
    for start in range(0, len(hashes), 10_000):
        chunk = hashes[start : start + 10_000]
        yield f"{_SELECT} IN ({', '.join(['%s'] * len(chunk))})", chunk


def _fold(flow: _Stored, items: list[Prepared], catalogue: Catalogue) -> FlowRow:
    """Add events to a flow and return its row."""
    for item in items:
        if _RANK[item.event.joined_by] > _RANK[flow.joined_by]:
            flow.joined_by = item.event.joined_by
    held = flow.held
    if held.sums is None:
        held.facts.extend([item.fact for item in items])
        return row_of_facts(held, catalogue)
    facts = packing.unpack([item.fact for item in items], catalogue)
    held.sums = merge(held.sums, sums_of(facts, records=len(facts)))
    return derive_large(held.sums)


def row_of_facts(held: packing.Held, catalogue: Catalogue) -> FlowRow:
    """Return the row of a flow that holds facts; above `LARGE` of them it keeps their sums."""
    if len(held.facts) <= LARGE:
        packing.sort(held.facts)
        return plain_row(held.facts, catalogue) or derive(packing.unpack(held.facts, catalogue))
    facts = packing.unpack(held.facts, catalogue)
    held.facts, held.sums = [], sums_of(facts, records=len(facts))
    return derive_large(held.sums)


def _values(flow: _Stored, row: FlowRow, *, position: int) -> tuple[Any, ...]:
    """Return what `_CHANGES` names."""
    return (
        flow.id,
        flow.joined_by,
        int(row.state),
        row.marks,
        row.events,
        row.records,
        row.started_ms,
        row.last_ms,
        row.duration_us,
        row.root[-1],
        row.failure[-1] if row.failure else None,
        _json(row.strip).decode(),
        position,
        packing.dump(flow.held),
    )


def _search_keys(prepared: Sequence[Prepared], flow_ids: Sequence[int]) -> list[tuple[int, int]]:
    """Return the distinct (key hash, flow) pairs, sorted for the index."""
    found: set[tuple[int, int]] = set()
    for item, flow_id in zip(prepared, flow_ids, strict=True):
        for key in item.keys:
            found.add((key, flow_id))
    return sorted(found)
