"""Records that wait for a schema: remembered with their placeholder, decoded late.

A placeholder is the event `undecodable`, in a flow of its own. When the schema is known, the
placeholder goes and the decoded events come with new positions, in one transaction behind the
lock on `log_head`: live pages see a change like any other, and the tables then hold what a
rebuild would make.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec
from django.db import transaction

from tracing.codec import decode
from tracing.domain.text import digest16, hash64
from tracing.models import AwaitingRecord, Flow, SearchKey
from tracing.models import Event as EventRow
from tracing.projections import dead_letters, event_index, flows, packing, record_log, undecodable
from tracing.projections.batch import batch_of
from tracing.projections.event_rows import Row
from tracing.projections.events import of_flows, of_records
from tracing.projections.rows import prepare
from tracing.projections.settings import current_rules, look_for_schemas
from tracing.projections.store import project, take_positions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tracing.projections.catalogue import Catalogue


def waiting_for(reference: str, limit: int) -> list[int]:
    """Return records that wait for a schema, at most `limit`. One query by index."""
    rows = AwaitingRecord.objects.filter(reference=reference).order_by("record")
    return list(rows.values_list("record", flat=True)[:limit])


def references(limit: int, after: str = "") -> list[str]:
    """Return the distinct schemas that records wait for, in order behind `after`; at most `limit`.

    One look-up by index each.
    """
    found: list[str] = []
    rows = AwaitingRecord.objects.order_by("reference").values_list("reference", flat=True)
    while len(found) < limit:
        following = rows.filter(reference__gt=found[-1] if found else after).first()
        if following is None:
            break
        found.append(following)
    return found


def decode_late(records: Collection[int], catalogue: Catalogue) -> int:
    """Put what these records say in the place of their placeholders; return how many did.

    Those whose schema is still not known, or that somebody else did meanwhile, are left alone;
    those that are no longer stored wait no longer.
    """
    look_for_schemas()
    rows = record_log.by_id(records)
    gone = set(records) - rows.keys()
    pairs = record_log.pairs(rows.values(), catalogue)
    decoded = [item for item in prepare(pairs, catalogue) if not item.event.awaits]
    with transaction.atomic():
        take_positions(0)
        asked = {item.fact.record for item in decoded} | gone
        found = AwaitingRecord.objects.filter(record__in=asked)
        waiting = set(found.values_list("record", flat=True))
        found.delete()
        fresh = [item for item in decoded if item.fact.record in waiting]
        if fresh:
            _withdraw(waiting - gone, catalogue)
            position = take_positions(len(fresh))
            project(
                batch_of(fresh),
                range(position - len(fresh) + 1, position + 1),
                catalogue,
            )
    return len(waiting)


def _withdraw(records: Collection[int], catalogue: Catalogue) -> None:
    """Take the placeholders of records out of every read model."""
    # A placeholder is no ordinary event: it is a row.
    rows = of_records(records)
    EventRow.objects.filter(record__in=records).delete()
    event_index.remove((digest16(row.event_id), row.position) for row in rows)
    undecodable.withdraw((row.record, row.error or "") for row in rows)
    dead_letters.withdraw(sorted({row.record for row in rows}))
    by_flow: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_flow[row.flow_id].append(row)
    counts: Counter[int] = Counter()
    emptied: list[int] = []
    rests: dict[int, list[Row]] = defaultdict(list)
    for rest in of_flows(by_flow):
        rests[rest.flow_id].append(rest)
    for flow in Flow.objects.filter(id__in=by_flow):
        counts[flow.state] -= 1
        if flow.id in rests:
            # Somebody's correlation id is this record's coordinates, or its topic was made anew.
            counts[_derive_again(flow, rests[flow.id], catalogue)] += 1
        else:
            emptied.append(flow.id)
        _forget_keys(flow.id, by_flow[flow.id], rests.get(flow.id, ()), catalogue)
    Flow.objects.filter(id__in=emptied).delete()
    flows.count(counts)


def _derive_again(flow: Flow, rows: list[Row], catalogue: Catalogue) -> int:
    """Make a flow's row from the events that it still has; return its state."""
    tiers = dead_letters.tiers([row.record for row in rows])
    held = packing.Held([_fact(row, tiers.get(row.record, 0)) for row in rows])
    derived = flows.row_of_facts(held, catalogue)
    Flow.objects.filter(id=flow.id).update(
        state=int(derived.state),
        marks=derived.marks,
        events=derived.events,
        records=derived.records,
        started_ms=derived.started_ms,
        last_ms=derived.last_ms,
        duration_us=derived.duration_us,
        root=derived.root[-1],
        failure=derived.failure[-1] if derived.failure else None,
        strip=msgspec.json.encode(derived.strip).decode(),
        facts=packing.dump(held),
    )
    return int(derived.state)


def _fact(row: Row, tier: int) -> packing.Packed:
    return packing.Packed(
        row.record,
        row.part,
        digest16(row.event_id),
        None if row.causation_id is None else digest16(row.causation_id),
        row.node_id,
        row.timestamp_ms * 1000 if row.occurred_us is None else row.occurred_us,
        row.timestamp_ms,
        None if row.key is None else hash64(row.key),
        tier,
    )


def _forget_keys(
    flow_id: int, gone: Iterable[Row], rest: Iterable[Row], catalogue: Catalogue
) -> None:
    """Remove the search keys that only the placeholders brought: those of their records."""
    hashes = {hash64(row.key) for row in gone if row.key is not None}
    if hashes:
        hashes -= _keys(rest, catalogue)
        SearchKey.objects.filter(key_hash__in=hashes, flow_id=flow_id).delete()


def _keys(rows: Iterable[Row], catalogue: Catalogue) -> set[int]:
    """Return the hashes of the keys by which events are found."""
    rows = list(rows)
    found = {hash64(row.key) for row in rows if row.key is not None}
    parts = {(row.record, row.part) for row in rows if row.error is None}
    if parts:
        rules = current_rules()
        for number, row in record_log.by_id(record for record, _ in parts).items():
            for event in decode(record_log.record_of(row, catalogue), rules).events:
                if (number, event.part) in parts:
                    found.update(hash64(key) for key in event.keys)
    return found
