"""What was found wrong on the wire: counted by type, version, service, field and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.db import connection

from tracing.domain.text import clean, hash64
from tracing.models import SchemaViolation
from tracing.projections import events
from tracing.projections.event_reading import stored
from tracing.projections.version_reading import version_number
from tracing.schemas.checking import Finding
from tracing.schemas.current import registry_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.projections.reading import StoredEvent
    from tracing.schemas.wire import Checked

# Names of fields that somebody makes up must not fill the table.
MAX_KINDS = 10_000
MAX_LISTED = 200
NOBODY = "nobody registered this version"
_COUNT = """
INSERT INTO tracing_schemaviolation (id, registry, subject, version, type, service, path, reason,
listed, unknown, records, first_ms, last_ms, first_record, last_record)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET records = tracing_schemaviolation.records + 1,
first_ms = CASE WHEN excluded.first_ms < tracing_schemaviolation.first_ms
    THEN excluded.first_ms ELSE tracing_schemaviolation.first_ms END,
last_ms = CASE WHEN excluded.last_ms > tracing_schemaviolation.last_ms
    THEN excluded.last_ms ELSE tracing_schemaviolation.last_ms END,
last_record = excluded.last_record
"""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of violation as pages list it, with the flow and event of its newest example."""

    subject: str
    version: str
    type: str
    service: str
    path: str
    reason: str
    listed: bool
    unknown: bool
    records: int
    first_ms: int
    last_ms: int
    event_id: str = ""
    correlation_id: str = ""


def count(found: Iterable[tuple[StoredEvent, Checked]]) -> None:
    """Count what checks found, within the caller's transaction."""
    rows = [row for item, checked in found for row in _rows(item, checked)]
    if not rows:
        return
    if SchemaViolation.objects.count() >= MAX_KINDS:
        known = set(
            SchemaViolation.objects.filter(id__in={row[0] for row in rows}).values_list(
                "id", flat=True
            )
        )
        rows = [row for row in rows if row[0] in known]
    with connection.cursor() as cursor:
        cursor.executemany(_COUNT, rows)


def forget(subject: str, version: int) -> None:
    """Forget what was counted of a version of a subject, within the caller's transaction."""
    rows = SchemaViolation.objects.filter(registry=registry_name(), subject=subject)
    told = rows.values_list("id", "version")
    gone = [number for number, written in told if version_number(written) == version]
    rows.filter(id__in=gone).delete()


def violations(*, event_type: str = "", subject: str = "", limit: int = MAX_LISTED) -> list[Listed]:
    """Return what was found, of a type or a subject or of all: violations first, by number.

    A few queries by key behind the first one, in which `MAX_KINDS` rows at most are sorted.
    """
    rows = SchemaViolation.objects.filter(registry=registry_name())
    if event_type:
        rows = rows.filter(type=event_type)
    if subject:
        rows = rows.filter(subject=subject)
    chosen = list(rows.order_by("-listed", "-records", "id")[:limit])
    found = stored(events.of_records({row.last_record for row in chosen}))
    examples = {item.record: item for item in found}
    return [_listed(row, examples.get(row.last_record)) for row in chosen]


def _rows(item: StoredEvent, checked: Checked) -> list[tuple[Any, ...]]:
    event, expected = item.event, checked.expected
    findings = list(checked.findings)
    if expected.unknown:
        findings = [Finding("", NOBODY)]
    version = event.schema_version or (str(expected.version) if expected.version else "")
    rows: dict[int, tuple[Any, ...]] = {}
    for one in findings:
        names = (registry_name(), expected.subject, version, event.type, event.service)
        told = (*names, clean(one.path), clean(one.reason))
        number = hash64("\n".join(told))
        times = (event.timestamp_ms, event.timestamp_ms, item.record, item.record)
        rows[number] = (number, *told, one.listed, expected.unknown, *times)
    return [rows[number] for number in sorted(rows)]


def _listed(row: SchemaViolation, example: StoredEvent | None) -> Listed:
    names = Listed.__struct_fields__[:-2]
    return Listed(
        **{name: getattr(row, name) for name in names},
        event_id=example.event.event_id if example else "",
        correlation_id=example.event.correlation_id if example else "",
    )
