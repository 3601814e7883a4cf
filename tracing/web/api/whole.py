"""Events with their bytes, for HTTP and for the websocket. Uses the ORM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.projections.reading import StoredRecord, decode_stored, stored_records
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
        found.extend(
            represent.whole_event(
                event,
                _with_payload(event, records.get(event.record)),
                limit=represent.MAX_BYTES_OF_MANY,
            )
            for event in step
        )
    return found


def _with_payload(event: StoredEvent, record: Record | None) -> StoredRecord | None:
    if record is None:
        return None
    if event.event.error is not None:
        # It has no payload; to look for its schema again, each time, would be for nothing.
        return StoredRecord(record, None)
    payloads = decode_stored(record).payloads
    return StoredRecord(
        record, payloads[event.event.part] if event.event.part < len(payloads) else None
    )
