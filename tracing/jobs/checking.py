"""Check payloads against their schemas, behind the writers: a cursor over the log's positions.

Where a version is registered after payloads of it came, the newest of those are counted anew.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F

from tracing.jobs.step import Step
from tracing.models import Node, SchemaCheck, SubjectVersion
from tracing.projections import reading
from tracing.projections.version_reading import version_number
from tracing.schemas import violations
from tracing.schemas.current import registry_name
from tracing.schemas.example import newest
from tracing.schemas.wire import (
    MAX_LOOKED,
    MAX_PAYLOADS,
    Checked,
    Expectations,
    check_event,
    types_of_row,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

# So many events a transaction, and so long a run.
BATCH = 200
BUDGET_S = 0.3
# Further behind than this, it goes on nearer to the end and says how many it passed.
MOST_BEHIND = 200_000
# So long a version that was registered since is counted anew.
RECOUNT_S = 2.0
# Registered versions that are looked at in a run for types that were seen.
VERSIONS = 100

Found = tuple[reading.StoredEvent, Checked]


class CheckPayloads(Step):
    """Checks what was stored since the last run; nothing while no schema is registered."""

    name = "check payloads"
    every_s = 1.0

    def wanted(self) -> bool:
        """Tell whether there is something to check: four look-ups by key at most."""
        cursor = SchemaCheck.objects.filter(id=1).first()
        if cursor is None or cursor.position < reading.head().position:
            return _registered().exists()
        return cursor.version_row is None or _registered(cursor.version_row).exists()

    def run(self) -> bool:
        """Check for `BUDGET_S`; return whether there is more."""
        expectations = Expectations()
        deadline = time.monotonic() + BUDGET_S
        if _recount(_cursor()):
            return True
        while _batch(expectations, deadline):
            if time.monotonic() >= deadline:
                return True
        return False


def _registered(after: int = 0) -> QuerySet[SubjectVersion]:
    rows = SubjectVersion.objects.filter(subject__registry=registry_name(), id__gt=after)
    return rows.select_related("subject").order_by("id")


def _cursor() -> SchemaCheck:
    """Return how far we are; where nothing was checked yet, all that is registered counts."""
    newest = reading.head().position
    last = _registered().last()
    begin = {
        "position": max(newest - MOST_BEHIND, 0),
        "version_row": last.pk if last else 0,
    }
    cursor, _ = SchemaCheck.objects.get_or_create(id=1, defaults=begin)
    if cursor.version_row is None:
        cursor.version_row = begin["version_row"]
        cursor.save(update_fields=["version_row"])
    return cursor


def _recount(cursor: SchemaCheck) -> bool:
    """Count anew what a version that was registered since describes; return whether it did.

    One version a run: of the newest `MAX_LOOKED` events, the last `MAX_PAYLOADS` of its types.
    """
    rows = list(_registered(cursor.version_row or 0)[:VERSIONS])
    if not rows:
        return False
    types = {row.pk: types_of_row(row) for row in rows}
    wanted = {name for names in types.values() for name in names}
    seen = set(Node.objects.filter(type__in=wanted).values_list("type", flat=True))
    row = next((row for row in rows if seen & types[row.pk]), rows[-1])
    positions = _events(row, types[row.pk] & seen, cursor.position)
    checked, _ = _checked(positions, Expectations(), time.monotonic() + RECOUNT_S)
    place = (row.subject.name, row.version)
    found = [one for one in checked if (one[1].expected.subject, one[1].expected.version) == place]
    with transaction.atomic():
        at = SchemaCheck.objects.filter(id=1, version_row=cursor.version_row)
        if at.update(version_row=row.pk) and found:
            violations.forget(row.subject.name, row.version)
            violations.count(found)
    return True


def _events(row: SubjectVersion, types: set[str], until: int) -> list[int]:
    """Return the positions of events that were checked before this version was there."""
    found = (
        event.position
        for event in newest(types, until, MAX_LOOKED)
        if version_number(event.schema_version) == row.version
    )
    return list(itertools.islice(found, MAX_PAYLOADS))


def _checked(
    positions: Sequence[int], expectations: Expectations, deadline: float
) -> tuple[list[Found], int | None]:
    """Return what comes of checking these events, and behind which one time was over, if it was."""
    found: list[Found] = []
    for begin in range(0, len(positions), BATCH):
        items = reading.events_at(positions[begin : begin + BATCH])
        records = reading.stored_records(item.record for item in items)
        for item in items:
            record = records.get(item.record)
            if record is None or item.event.error is not None:
                continue
            said = reading.decode_stored(record)
            if item.event.part < len(said.payloads):
                payload = said.payloads[item.event.part]
                checked = check_event(item.event, payload, said.schema, expectations, record)
                found.append((item, checked))
            if time.monotonic() >= deadline:
                return found, item.position
    return found, None


def _batch(expectations: Expectations, deadline: float) -> bool:
    """Check the next events and move the cursor, both or neither; return whether there was any.

    At the deadline (of `time.monotonic`) it ends behind the event that it is at.
    """
    newest = reading.head().position
    cursor = _cursor()
    start = max(cursor.position, newest - MOST_BEHIND)
    end = min(start + BATCH, newest)
    if end <= cursor.position:
        return False
    found, over = _checked(range(start + 1, end + 1), expectations, deadline)
    with transaction.atomic():
        moved = SchemaCheck.objects.filter(id=1, position=cursor.position).update(
            position=end if over is None else over,
            checked=F("checked") + sum(checked.expected.schema is not None for _, checked in found),
            passed=F("passed") + start - cursor.position,
        )
        if moved:
            violations.count(found)
    return True
