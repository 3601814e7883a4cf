"""Remove whole flows, oldest first: their records and everything that was derived from them.

What stays is exactly what a rebuild makes of the records that stay. So a flow goes only as a whole,
and only together with the flows that share a record with it (several events in one record). While
a rebuild runs nothing goes: it has read records that would be gone when it ends.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict

import msgspec
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from tracing.domain.derive import State
from tracing.domain.text import digest16, hash64
from tracing.models import Flow, FlowCount, Horizon
from tracing.models.source import record_id
from tracing.projections import (
    dead_letters,
    event_blocks,
    event_index,
    record_log,
    saga_pruning,
    undecodable,
    versions,
)
from tracing.projections.catalogue import Catalogue
from tracing.projections.event_rows import Row
from tracing.projections.events import of_flows
from tracing.projections.log_reading import head
from tracing.projections.plain_sql import chunks
from tracing.projections.rebuild import RebuildRunningError, running
from tracing.projections.rows import prepare
from tracing.projections.store import take_positions

# So many records a transaction: well under a tenth of a second on either database.
STEP_RECORDS = 200
# A flow that moved so lately may still be running, whatever it says of itself.
RESTS_MS = 10 * 60 * 1_000
_DELETE_KEY = "DELETE FROM tracing_searchkey WHERE key_hash = %s AND flow_id = %s"
_SHARED = """
SELECT DISTINCT mine.flow_id, theirs.flow_id FROM tracing_event mine
JOIN tracing_event theirs ON theirs.record = mine.record AND theirs.flow_id <> mine.flow_id
WHERE mine.flow_id IN ({})
"""


class Pruned(msgspec.Struct, frozen=True):
    """What a step removed; `more` tells whether the next one may find something."""

    flows: int
    records: int
    more: bool


class _Candidate(msgspec.Struct, frozen=True, order=True):
    last_ms: int
    id: int
    records: int


class Pruner:
    """Goes from the oldest flow on; remembers what it had to leave where it is."""

    def __init__(self, before_ms: int, *, now_ms: int) -> None:
        """Remove flows whose last record is older than `before_ms`, none that moved lately."""
        self.before_ms = min(before_ms, now_ms - RESTS_MS)
        self._catalogue = Catalogue()
        self._after = {int(state): (-1, -1) for state in State}

    def count(self) -> int:
        """Return how many flows are older; reads an index from its beginning."""
        return Flow.objects.filter(last_ms__lt=self.before_ms, state__in=list(State)).count()

    def has_work(self) -> bool:
        """Tell whether a flow is older that this run has not come to. One look-up a state."""
        return any(self._of_state(state, 1) for state in self._after)

    def step(self, *, limit: int = STEP_RECORDS) -> Pruned:
        """Remove the next flows, about `limit` records, in one short transaction.

        A flow with more records than that goes alone, in a transaction as long as it takes.
        Raises RebuildRunningError.
        """
        generation = head().generation
        chosen = self._oldest(limit)
        if not chosen:
            return Pruned(0, 0, more=False)
        with transaction.atomic():
            # From here on nobody else changes a flow: what is read now stays so.
            take_positions(0)
            if running().exists():
                raise RebuildRunningError
            if head().generation != generation:
                # A rebuild has ended meanwhile: these numbers mean other flows.
                self._after = {int(state): (-1, -1) for state in State}
                return Pruned(0, 0, more=True)
            flows = sorted(self._whole({one.id for one in chosen}))
            records = self._remove(flows) if flows else 0
        return Pruned(len(flows), records, more=True)

    def _oldest(self, limit: int) -> list[_Candidate]:
        """Return the oldest flows of all states that this run has not come to yet."""
        heads = [self._of_state(state, limit) for state in self._after]
        chosen: list[_Candidate] = []
        total = 0
        for state, one in heapq.merge(*heads, key=lambda pair: pair[1]):
            if chosen and total + one.records > limit:
                break
            chosen.append(one)
            total += one.records
            self._after[state] = (one.last_ms, one.id)
        return chosen

    def _of_state(self, state: int, limit: int) -> list[tuple[int, _Candidate]]:
        last_ms, flow_id = self._after[state]
        rows = Flow.objects.filter(state=state, last_ms__gte=last_ms, last_ms__lt=self.before_ms)
        if last_ms >= 0:
            rows = rows.exclude(last_ms=last_ms, id__lte=flow_id)
        columns = rows.order_by("last_ms", "id").values_list("last_ms", "id", "records")
        return [(state, _Candidate(*row)) for row in columns[:limit]]

    def _whole(self, flows: set[int]) -> set[int]:
        """Return those that are there, with those that share their records; none that must stay."""
        # The newest number stays in use, so that a new flow never gets an old one's.
        stays = set(Flow.objects.order_by("-id").values_list("id", flat=True)[:1])
        known = Flow.objects.filter(last_ms__lt=self.before_ms)
        members: set[int] = set()
        shared: dict[int, set[int]] = defaultdict(set)
        fresh = flows
        while fresh:
            old: set[int] = set()
            for chunk in chunks(fresh):
                old.update(known.filter(id__in=chunk).values_list("id", flat=True))
            stays |= fresh - old
            # Whatever its age, a dead letter that nobody has dealt with is work to be done.
            stays |= dead_letters.open_flows(fresh)
            members |= fresh
            neighbours = _neighbours(old)
            for one, other in neighbours:
                shared[one].add(other)
                shared[other].add(one)
            fresh = {other for _, other in neighbours} - members
        return members - _reached(stays, shared)

    def _remove(self, flows: list[int]) -> int:
        """Take flows out of every table; return how many records they had."""
        events = _events_of(flows)
        records = sorted({row.record for row in events})
        undecodable.withdraw((row.record, row.error) for row in events if row.error is not None)
        dead_letters.leave_tallies(records)
        dead_letters.withdraw(records)
        saga_pruning.withdraw(flows, self._catalogue)
        states = Counter(
            state
            for chunk in chunks(flows)
            for state in Flow.objects.filter(id__in=chunk).values_list("state", flat=True)
        )
        for state, gone in sorted(states.items()):
            FlowCount.objects.filter(state=state).update(flows=F("flows") - gone)
        event_index.remove((digest16(row.event_id), row.position) for row in events)
        keys, schemas = self._said(events, records)
        versions.withdraw(events, schemas)
        with connection.cursor() as cursor:
            cursor.executemany(_DELETE_KEY, keys)
            for table, column, numbers in (
                ("event", "flow_id", flows),
                ("flow", "id", flows),
                ("awaitingrecord", "record", records),
            ):
                statement = f"DELETE FROM tracing_{table} WHERE {column} = %s"  # noqa: S608
                cursor.executemany(statement, [(number,) for number in numbers])
        record_log.delete(records)
        event_blocks.remove(records)
        self._move_horizon(len(flows), len(records))
        return len(records)

    def _said(
        self, events: list[Row], records: list[int]
    ) -> tuple[list[tuple[int, int]], dict[int, str]]:
        """Return these events' search keys, and the schema that each record names.

        Keys as they are stored, and as their records name them.
        """
        schemas: dict[int, str] = {}
        found = {(hash64(row.key), row.flow_id) for row in events if row.key is not None}
        flow_of = {(row.record, row.part): row.flow_id for row in events}
        for chunk in chunks(records):
            pairs = record_log.pairs(record_log.by_id(chunk).values(), self._catalogue)
            for partition_id, record in pairs:
                schemas[record_id(partition_id, record.offset)] = versions.schema_of(record)
            for item in prepare(pairs, self._catalogue):
                flow_id = flow_of.get((item.fact.record, item.event.part))
                if flow_id is not None:
                    found.update((hash64(key), flow_id) for key in item.event.keys)
        return sorted(found), schemas

    def _move_horizon(self, flows: int, records: int) -> None:
        row = Horizon.objects.get_or_create(id=1)[0]
        row.before_ms = max(row.before_ms, self.before_ms)
        row.flows += flows
        row.records += records
        row.pruned_at = timezone.now()
        row.save()


def _events_of(flows: list[int]) -> list[Row]:
    return [row for chunk in chunks(flows) for row in of_flows(chunk)]


def _neighbours(flows: set[int]) -> set[tuple[int, int]]:
    """Return pairs of flows that have events in one record, the first of these."""
    found: set[tuple[int, int]] = set()
    with connection.cursor() as cursor:
        for chunk in chunks(flows):
            cursor.execute(_SHARED.format(", ".join(["%s"] * len(chunk))), list(chunk))
            found.update(cursor.fetchall())
    return found


def _reached(begin: set[int], shared: dict[int, set[int]]) -> set[int]:
    """Return everything that hangs together with these flows, and they themselves."""
    reached, fresh = set(begin), set(begin)
    while fresh:
        fresh = {other for one in fresh for other in shared.get(one, ())} - reached
        reached |= fresh
    return reached
