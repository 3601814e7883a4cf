"""Check payloads against their schemas, behind the writers: a cursor over the log's positions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F

from tracing.jobs.step import Step
from tracing.models import SchemaCheck, SubjectVersion
from tracing.projections import reading
from tracing.schemas import violations
from tracing.schemas.current import registry_name
from tracing.schemas.wire import Expectations, check_event

if TYPE_CHECKING:
    from tracing.schemas.wire import Checked

# So many events a transaction, and so long a run.
BATCH = 200
BUDGET_S = 0.3
# Further behind than this, it goes on nearer to the end and says how many it passed.
MOST_BEHIND = 200_000


class CheckPayloads(Step):
    """Checks what was stored since the last run; nothing while no schema is registered."""

    name = "check payloads"
    every_s = 1.0

    def wanted(self) -> bool:
        """Tell whether there is something to check: three look-ups by key at most."""
        cursor = SchemaCheck.objects.filter(id=1).first()
        if cursor is not None and cursor.position >= reading.head().position:
            return False
        return SubjectVersion.objects.filter(subject__registry=registry_name()).exists()

    def run(self) -> bool:
        """Check for `BUDGET_S`; return whether there is more."""
        expectations = Expectations()
        deadline = time.monotonic() + BUDGET_S
        while _batch(expectations, deadline):
            if time.monotonic() >= deadline:
                return True
        return False


def _batch(expectations: Expectations, deadline: float) -> bool:
    """Check the next events and move the cursor, both or neither; return whether there was any.

    At the deadline (of `time.monotonic`) it ends behind the event that it is at.
    """
    newest = reading.head().position
    cursor, _ = SchemaCheck.objects.get_or_create(
        id=1, defaults={"position": max(newest - MOST_BEHIND, 0)}
    )
    start = max(cursor.position, newest - MOST_BEHIND)
    end = min(start + BATCH, newest)
    if end <= cursor.position:
        return False
    items = reading.events_at(range(start + 1, end + 1))
    records = reading.stored_records(item.record for item in items)
    found: list[tuple[reading.StoredEvent, Checked]] = []
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
            end = item.position
            break
    with transaction.atomic():
        moved = SchemaCheck.objects.filter(id=1, position=cursor.position).update(
            position=end,
            checked=F("checked") + sum(checked.expected.schema is not None for _, checked in found),
            passed=F("passed") + start - cursor.position,
        )
        if moved:
            violations.count(found)
    return True
