"""Events with their bytes, for HTTP and for the websocket. Uses the ORM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.projections.reading import StoredRecord, payloads_of, stored_records
from tracing.web.api import represent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.domain.record import Record
    from tracing.projections.reading import StoredEvent

# Records may hold megabytes: only so many are in memory at once.
STEP = 50


def whole_events(events: Sequence[StoredEvent]) -> list[represent.Json]:
    """Return events with headers and payload, each bounded to `MAX_BYTES_OF_MANY`.

    One query by primary key for every 50 events.
    """
    found: list[represent.Json] = []
    for start in range(0, len(events), STEP):
        step = events[start : start + STEP]
        records = stored_records(event.record for event in step)
        # One that could not be decoded has none; its schema is not looked for again, each time.
        readable = {event.record for event in step if event.event.error is None} & records.keys()
        said = dict(zip(readable, payloads_of(records[number] for number in readable), strict=True))
        found.extend(
            represent.whole_event(
                event,
                _with_payload(event, records.get(event.record), said.get(event.record, ())),
                limit=represent.MAX_BYTES_OF_MANY,
            )
            for event in step
        )
    return found


def _with_payload(
    event: StoredEvent, record: Record | None, payloads: tuple[bytes | None, ...]
) -> StoredRecord | None:
    if record is None:
        return None
    part = event.event.part
    return StoredRecord(record, payloads[part] if part < len(payloads) else None)
