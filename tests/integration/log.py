"""Write events into the log as the ingestor does, without a broker."""

from __future__ import annotations

import json
import time
from typing import Any

from tracing.domain.record import Header, Record
from tracing.models import Partition
from tracing.projections.catalogue import Catalogue
from tracing.projections.record_log import between
from tracing.projections.record_rows import Row
from tracing.projections.store import Slice, store

# The moment of whatever a test does not date: all of a test lies in one hour and one minute,
# wherever these end meanwhile.
NOW_MS = time.time_ns() // 1_000_000


def record(
    event_id: str,
    event_type: str = "OrderPlaced",
    *,
    flow: str | None = "o-1",
    cause: str | None = None,
    payload: Any = None,
    value: bytes | None = None,
    topic: str = "orders",
    service: str = "order-service",
    key: bytes | None = b"ORD-1",
    headers: tuple[Header, ...] = (),
    at_ms: int = NOW_MS,
) -> Record:
    """Return a record with a native envelope, or with exactly the value given."""
    body = {
        "eventId": event_id,
        "eventType": event_type,
        "schemaVersion": 1,
        "timestamp": at_ms,
        "correlationId": flow,
        "causationId": cause,
        "payload": payload,
    }
    raw = json.dumps(body).encode() if value is None else value
    return Record(
        topic=topic,
        partition=0,
        offset=-1,
        timestamp_ms=at_ms,
        key=key,
        value=raw,
        value_length=len(raw),
        headers=(("source", service.encode()), *headers),
    )


def write(*records: Record) -> int:
    """Store records at the next offsets of their topics, as one batch; return the position."""
    catalogue = Catalogue()
    by_topic: dict[str, list[Record]] = {}
    for item in records:
        by_topic.setdefault(item.topic, []).append(item)
    slices = []
    for topic, items in by_topic.items():
        row = catalogue.partition(topic=topic, topic_uuid=f"uuid of {topic}", number=0)
        start = Partition.objects.get(id=row.id).next_offset
        if start is None:
            Partition.objects.filter(id=row.id).update(next_offset=0)
            start = 0
        numbered = [
            Record(**{**_fields(item), "offset": start + place}) for place, item in enumerate(items)
        ]
        slices.append(
            Slice(partition_id=row.id, start=start, end=start + len(items), records=numbered)
        )
    return store(slices, catalogue)


def _fields(item: Record) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__struct_fields__}


def stored() -> list[Row]:
    """Return every stored record, in the order of their ids."""
    return between(0, (1 << 63) - 1, 100_000)


def failed(
    event_id: str,
    *more: Header,
    topic: str = "orders.dlq",
    number: int = 1,
    at_ms: int = NOW_MS,
    consumer: str = "inventory",
) -> Record:
    """Return an event's copy on another topic, as the sample's consumers write it."""
    headers: tuple[Header, ...] = (
        ("eventviz-failure-topic", b"orders"),
        ("eventviz-failure-partition", b"0"),
        ("eventviz-failure-offset", b"0"),
        ("eventviz-failure-consumer", consumer.encode()),
        ("eventviz-failure-exception", b"KeyError"),
        ("eventviz-failure-message", f"no product P-{number}".encode()),
        ("eventviz-failure-attempts", b"3"),
        *more,
    )
    return record(event_id, flow=f"flow-{event_id}", topic=topic, headers=headers, at_ms=at_ms)
