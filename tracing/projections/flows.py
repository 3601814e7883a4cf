"""The flow rows of one batch: read what is touched, derive, write what changed.

Runs inside the writer's transaction, behind the lock on `log_head`. The number of statements does
not depend on the size of the batch.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import connection

from tracing.domain.derive import LARGE, FlowRow, derive, derive_large, merge, sums_of
from tracing.projections import packing
from tracing.projections.plain import plain_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracing.domain.event import JoinedBy
    from tracing.projections.catalogue import Catalogue
    from tracing.projections.rows import Prepared

_INSERT = """
INSERT INTO tracing_flow (correlation_hash, correlation_id, joined_by, state, marks, events,
 records, started_ms, last_ms, duration_us, root, failure, strip, position, facts, id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_UPDATE = """
UPDATE tracing_flow SET joined_by = %s, state = %s, marks = %s, events = %s, records = %s,
 started_ms = %s, last_ms = %s, duration_us = %s, root = %s, failure = %s, strip = %s,
 position = %s, facts = %s WHERE id = %s
"""
_COUNT = """
INSERT INTO tracing_flowcount (state, flows) VALUES (%s, %s)
ON CONFLICT (state) DO UPDATE SET flows = tracing_flowcount.flows + excluded.flows
"""
_SEARCH_KEY = """
INSERT INTO tracing_searchkey (key_hash, flow_id) VALUES (%s, %s) ON CONFLICT DO NOTHING
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
            inserts.append((hashes[correlation_id], correlation_id, *values))
            counts[row.state] += 1
        else:
            updates.append(values)
            counts[flow.state] -= 1
            counts[row.state] += 1
        for index in indexes:
            flow_ids[index] = flow.id
    keys = _search_keys(prepared, flow_ids)
    with connection.cursor() as cursor:
        for statement, rows in (
            (_INSERT, inserts),
            (_UPDATE, updates),
            (_SEARCH_KEY, keys),
        ):
            if rows:
                cursor.executemany(statement, rows)
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
        # Below SQLite's limit of 32,766 parameters whatever the batch.
        for start in range(0, len(hashes), 10_000):
            chunk = hashes[start : start + 10_000]
            marks = ", ".join(["%s"] * len(chunk))
            cursor.execute(
                "SELECT id, correlation_id, joined_by, state, facts FROM tracing_flow"  # noqa: S608
                f" WHERE correlation_hash IN ({marks})",
                chunk,
            )
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
    """Return the columns that both statements write, the id last."""
    return (
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
        flow.id,
    )


def _search_keys(prepared: Sequence[Prepared], flow_ids: Sequence[int]) -> list[tuple[int, int]]:
    """Return the distinct (key hash, flow) pairs, sorted for the index."""
    found: set[tuple[int, int]] = set()
    for item, flow_id in zip(prepared, flow_ids, strict=True):
        for key in item.keys:
            found.add((key, flow_id))
    return sorted(found)
