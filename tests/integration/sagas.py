"""Events of sagas in the log, in a line a flow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tracing.domain.record import Record
from tracing.models import Partition
from tracing.projections.catalogue import Catalogue
from tracing.projections.store import Slice, store

if TYPE_CHECKING:
    from collections.abc import Sequence

START_MS = 1_700_000_000_000


def events(text: str, *, flow: str, payload: dict[str, object] | None = None) -> list[bytes]:
    """Return an envelope for each word, a second apart; `Type@2.5` says its second."""
    bodies = []
    for number, word in enumerate(text.split()):
        name, _, at = word.partition("@")
        body = {
            "eventId": f"{flow}-{word}-{number}",
            "eventType": name,
            "correlationId": flow,
            "timestamp": START_MS + round((float(at) if at else number) * 1_000),
            "payload": {"orderId": flow, **(payload or {})},
        }
        bodies.append(json.dumps(body).encode())
    return bodies


def put(bodies: Sequence[bytes], *, key: bytes | None = None) -> Catalogue:
    """Store one batch of values behind those of the topic `events`; Kafka's time is theirs."""
    catalogue = Catalogue()
    row = catalogue.partition(topic="events", topic_uuid="u", number=0)
    start = Partition.objects.get(id=row.id).next_offset or 0
    Partition.objects.filter(id=row.id).update(next_offset=start)
    records = [
        Record(
            topic="events",
            partition=0,
            offset=start + number,
            timestamp_ms=json.loads(value)["timestamp"],
            key=key,
            value=value,
            value_length=len(value),
        )
        for number, value in enumerate(bodies)
    ]
    end = start + len(records)
    store([Slice(partition_id=row.id, start=start, end=end, records=records)], catalogue)
    return catalogue
