"""The flow rows of one batch: read what is touched, derive, write what changed.

Runs inside the writer's transaction, behind the lock on `log_head`. The number of statements does
not depend on the size of the batch.
"""

from __future__ import annotations

from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import connection

from tracing.domain.derive import LARGE, FlowRow, derive, derive_large, merge, sums_of
from tracing.projections import bulk, packing
from tracing.projections.bulk import Columns
from tracing.projections.plain import plain_row
from tracing.projections.saga_decisions import applied_sagas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tracing.domain.event import JoinedBy
    from tracing.projections.batch import Batch, Derived, Share
    from tracing.projections.catalogue import Catalogue
    from tracing.projections.packing import Packed

_FLOWS = Columns(
    "tracing_flow",
    (
        ("id", "int8"),
        ("joined_by", "text"),
        ("position", "int8"),
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
        ("facts", "bytea"),
        ("correlation_hash", "int8"),
        ("correlation_id", "text"),
    ),
)
# What a batch changes in a flow; the rest is its identity.
_CHANGING = len(_FLOWS.columns) - 2
_KEYS = Columns("tracing_searchkey", (("key_hash", "int8"), ("flow_id", "int8")))
_SELECT = (
    "SELECT id, correlation_id, joined_by, state, facts FROM tracing_flow WHERE correlation_hash"
)
_COUNT = """
INSERT INTO tracing_flowcount (state, flows) VALUES (%s, %s)
ON CONFLICT (state) DO UPDATE SET flows = tracing_flowcount.flows + excluded.flows
"""
# Of several ways in which events are joined, the most explicit one names the flow's.
RANK: dict[JoinedBy, int] = {"event": 0, "trace": 1, "correlation": 2}


_json = msgspec.json.Encoder().encode


class _Stored(msgspec.Struct):
    """A flow as it stands before the batch; a new one has no state."""

    id: int
    joined_by: JoinedBy
    state: int | None
    held: packing.Held


def begin(shares: Iterable[Share], catalogue: Catalogue) -> None:
    """Derive the flows that seem to begin in a batch: what they are, should they be new.

    Needs no lock, so it is done before that on `log_head`. What is derived holds their facts.
    """
    for share in shares:
        if None in [fact.cause for fact in share.facts]:
            held = packing.Held(share.facts)
            share.begun = derived_of(held, catalogue)
            if held.sums is None:
                share.facts = []


def project(
    batch: Batch, positions: Sequence[int], catalogue: Catalogue
) -> tuple[list[int], list[int]]:
    """Fold a batch of events into their flows; return each event's flow id, in order.

    Returned too are the records of events that flows no longer remember, or never did, because
    they are large.
    """
    flows = _read(batch.shares)
    counts: Counter[int] = Counter()
    inserts: list[tuple[Any, ...]] = []
    updates: list[tuple[Any, ...]] = []
    first_keys: list[tuple[int, int]] = []
    more_keys: list[tuple[int, int]] = []
    flow_ids = [0] * len(batch)
    of_large: list[int] = []
    for share in batch.shares:
        flow = flows[share.correlation_id]
        derived = share.begun if flow.state is None else None
        large: Sequence[Packed] = share.facts
        if derived is None:
            derived, large = _fold(flow, share, catalogue)
        of_large += [fact.record for fact in large]
        state = derived[0]
        position = positions[share.indexes[-1]]
        identity = share.flow_hash, share.correlation_id
        values = (flow.id, flow.joined_by, position, *derived, *identity)
        if flow.state is None:
            inserts.append(values)
            counts[state] += 1
            keys = first_keys
        else:
            updates.append(values)
            keys = more_keys
            counts[flow.state] -= 1
            counts[state] += 1
        for index in share.indexes:
            flow_ids[index] = flow.id
        keys.extend([(key, flow.id) for key in share.keys])
    bulk.insert(_FLOWS, inserts)
    bulk.replace(_FLOWS, _CHANGING, sorted(updates, key=itemgetter(0)))
    write_keys(first_keys, more_keys)
    count(counts)
    return flow_ids, of_large


def write_keys(of_new: Iterable[tuple[int, int]], of_others: Iterable[tuple[int, int]]) -> None:
    """Write distinct (key hash, flow) pairs, of flows that are new and of others."""
    # In the order of their index.
    bulk.insert_unless_there(_KEYS, sorted(of_new))
    bulk.insert_missing(_KEYS, sorted(of_others))


def count(changes: Mapping[int, int]) -> None:
    """Change how many flows stand in each state, also in one that had none. One statement."""
    rows = [(state, change) for state, change in sorted(changes.items()) if change]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_COUNT, rows)


def _read(shares: Sequence[Share]) -> dict[str, _Stored]:
    """Return the flows of these shares by correlation id; new ones get the next ids."""
    hashes = [share.flow_hash for share in shares]
    found: dict[str, _Stored] = {}
    with connection.cursor() as cursor:
        for statement, parameters in _selects(hashes):
            cursor.execute(statement, parameters)
            for flow_id, correlation_id, joined_by, state, blob in cursor.fetchall():
                found[correlation_id] = _Stored(flow_id, joined_by, state, packing.load(blob))
        # Only the holder of `log_head` makes flows, so nobody else takes these ids.
        cursor.execute("SELECT COALESCE(MAX(id), 0) FROM tracing_flow")
        last_id: int = cursor.fetchone()[0]
    for share in shares:
        if share.correlation_id not in found:
            last_id += 1
            held = packing.Held(facts=[])
            found[share.correlation_id] = _Stored(last_id, share.joined_by, None, held)
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


def _fold(flow: _Stored, share: Share, catalogue: Catalogue) -> tuple[Derived, Sequence[Packed]]:
    """Add events to a flow; return what is derived of it, and the facts that it does not keep."""
    if RANK[share.joined_by] > RANK[flow.joined_by]:
        flow.joined_by = share.joined_by
    held = flow.held
    added = share.facts
    if not added and share.begun is not None:
        added = packing.load(share.begun[-1]).facts
    if held.sums is not None:
        facts = packing.unpack(added, catalogue)
        fresh = sums_of(facts, records=len(facts), roles=applied_sagas().roles)
        held.sums = merge(held.sums, fresh)
        return _values(derive_large(held.sums), held), added
    every = held.facts = [*held.facts, *added]
    derived = derived_of(held, catalogue)
    return derived, () if held.facts else every


def derived_of(held: packing.Held, catalogue: Catalogue) -> Derived:
    """Return what `_FLOWS` names from the state to the facts, of a flow that holds facts."""
    return _values(row_of_facts(held, catalogue), held)


def row_of_facts(held: packing.Held, catalogue: Catalogue) -> FlowRow:
    """Return the row of a flow that holds facts; above `LARGE` of them it keeps their sums."""
    roles = applied_sagas().roles
    if len(held.facts) <= LARGE:
        packing.sort(held.facts)
        plain = plain_row(held.facts, catalogue, roles)
        return plain or derive(packing.unpack(held.facts, catalogue), roles)
    facts = packing.unpack(held.facts, catalogue)
    held.facts, held.sums = [], sums_of(facts, records=len(facts), roles=roles)
    return derive_large(held.sums)


def _values(row: FlowRow, held: packing.Held) -> Derived:
    return (
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
        packing.dump(held),
    )
