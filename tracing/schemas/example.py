"""An example from the wire: the newest stored payload of a version of an event type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.models import Event as EventRow
from tracing.models import Node
from tracing.projections import reading

if TYPE_CHECKING:
    from collections.abc import Collection

# So many of the newest events are looked through, so many of those that may be it are decoded.
MAX_LOOKED = 20_000
MAX_DECODED = 50
MAX_NODES = 1_000


class Example(msgspec.Struct, frozen=True):
    """A payload as it came, and its event."""

    event_id: str
    correlation_id: str
    timestamp_ms: int
    payload: bytes


def example(types: Collection[str], versions: Collection[str], schema: str) -> Example | None:
    """Return the newest payload of these types that is of a version; None without one.

    `versions` are what envelopes call it, `schema` is the id that frames name; either will do.
    Five queries by key, of which one looks through the newest 20,000 events.
    """
    nodes = list(Node.objects.filter(type__in=types).values_list("id", flat=True)[:MAX_NODES])
    if not nodes:
        return None
    rows = EventRow.objects.filter(
        position__gt=reading.head().position - MAX_LOOKED, node_id__in=nodes, error=None
    ).order_by("-position")
    if not schema:
        rows = rows.filter(schema_version__in=versions)
    items = reading.events_at(list(rows.values_list("position", flat=True)[:MAX_DECODED]))
    records = reading.stored_records(item.record for item in items)
    for item in reversed(items):
        record = records.get(item.record)
        said = None if record is None else reading.decode_stored(record)
        if said is None or item.event.part >= len(said.payloads):
            continue
        fits = said.schema == schema if said.schema else item.event.schema_version in versions
        payload = said.payloads[item.event.part]
        if fits and payload is not None:
            event = item.event
            return Example(event.event_id, event.correlation_id, event.timestamp_ms, payload)
    return None
