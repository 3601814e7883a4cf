"""An example from the wire: the newest stored payload of a version of an event type."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec

from tracing.models import Node
from tracing.projections import events, reading
from tracing.projections.event_reading import stored

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tracing.projections.event_rows import Row

# So many of the newest events are looked through, so many of those that may be it are decoded.
MAX_LOOKED = 20_000
MAX_DECODED = 50
MAX_NODES = 1_000
_PAGE = 1_000


class Example(msgspec.Struct, frozen=True):
    """A payload as it came, and its event."""

    event_id: str
    correlation_id: str
    timestamp_ms: int
    payload: bytes


def example(types: Collection[str], versions: Collection[str], schema: str) -> Example | None:
    """Return the newest payload of these types that is of a version; None without one.

    `versions` are what envelopes call it, `schema` is the id that frames name; either will do.
    A few queries by key for each thousand of the newest 20,000 events that are looked through.
    """
    rows = (
        row
        for row in newest(types, reading.head().position, MAX_LOOKED)
        if schema or row.schema_version in versions
    )
    items = stored(list(itertools.islice(rows, MAX_DECODED)))
    records = reading.stored_records(item.record for item in items)
    for item in items:
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


def newest(types: Collection[str], until: int, looked: int) -> Iterator[Row]:
    """Yield the events of these types that could be decoded, the newest first.

    Looks through the last `looked` positions up to `until`, as far as it is asked to go on.
    """
    nodes = Node.objects.filter(type__in=types).values_list("id", flat=True)
    wanted = set(nodes[:MAX_NODES])
    behind, border = until + 1, max(until - looked, 0)
    # A page may be short before the end: some of its events may be gone.
    while wanted and (size := min(behind - 1 - border, _PAGE)) > 0:
        rows = events.before(behind, size)
        if not rows:
            return
        yield from (
            row
            for row in rows
            if row.position > border and row.node_id in wanted and row.error is None
        )
        behind = rows[-1].position
