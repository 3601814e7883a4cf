"""Avro records whose schemas a registry tells, at once or late."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
from django.utils import timezone
from hypothesis import strategies as st

from tracing.domain.record import Record
from tracing.models import AwaitingRecord, Partition, Schema
from tracing.projections import late
from tracing.projections.catalogue import Catalogue
from tracing.projections.store import Slice, store

REGISTRY = "http://schemas.example:8081"
ENVELOPE = {
    "type": "record",
    "name": "Envelope",
    "fields": [
        {"name": "eventId", "type": "string"},
        {"name": "eventType", "type": "string"},
        {"name": "correlationId", "type": ["null", "string"]},
        {"name": "causationId", "type": ["null", "string"]},
        {
            "name": "payload",
            "type": {
                "type": "record",
                "name": "Payload",
                "fields": [{"name": "orderId", "type": "string"}],
            },
        },
    ],
}
PARSED = fastavro.parse_schema(ENVELOPE)
TYPES = ["OrderPlaced", "StockReserved", "PaymentFailed", "OrderCompleted"]
TOPICS = [("orders", "u1"), ("orders", "u2"), ("stock", "u1")]


def framed(number: int, body: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, PARSED, body)
    return b"\x00" + number.to_bytes(4, "big") + out.getvalue()


def envelope(event_id: str = "e-1", flow: str | None = "f-1") -> dict[str, Any]:
    return {
        "eventId": event_id,
        "eventType": "OrderPlaced",
        "correlationId": flow,
        "causationId": None,
        "payload": {"orderId": "ORD-1"},
    }


def learn(number: int) -> None:
    Schema.objects.create(
        registry=REGISTRY,
        reference=f"id:{number}",
        type="AVRO",
        text=json.dumps(ENVELOPE),
        fetched_at=timezone.now(),
    )


def record(value: bytes, offset: int = 0, key: bytes | None = b"KEY-1") -> Record:
    return Record(
        topic="orders",
        partition=0,
        offset=offset,
        timestamp_ms=1_700_000_000_000,
        key=key,
        value=value,
        value_length=len(value),
    )


def write(catalogue: Catalogue, *records: Record) -> None:
    row = catalogue.partition(topic="orders", topic_uuid="u1", number=0)
    Partition.objects.filter(id=row.id, next_offset=None).update(next_offset=0)
    start = Partition.objects.get(id=row.id).next_offset or 0
    store(
        [Slice(partition_id=row.id, start=start, end=start + len(records), records=list(records))],
        catalogue,
    )


@st.composite
def records(draw: st.DrawFn) -> list[tuple[str, Record]]:
    """Draw records of topics, one of them made anew, with their topic's UUID: Avro and JSON."""
    offsets = dict.fromkeys(TOPICS, 0)
    drawn = []
    for _ in range(draw(st.integers(1, 12))):
        place = draw(st.sampled_from(TOPICS))
        body = {
            "eventId": draw(st.sampled_from(["e1", "e2", "e3"])),
            "eventType": draw(st.sampled_from(TYPES)),
            # Coordinates are where placeholders live: a stranger may name them too.
            "correlationId": draw(st.sampled_from(["a", None, "orders[0]@0", "orders[0]@1"])),
            "causationId": draw(st.sampled_from(["e1", "e2", None])),
            "payload": {"orderId": draw(st.sampled_from(["o1", "k1"]))},
        }
        number = draw(st.sampled_from([1, 2, 0]))
        value = framed(number, body) if number else json.dumps(body).encode()
        if draw(st.integers(0, 9)) == 9:
            value = b"\x00\x00\x00\x00\x01\xff"
        drawn.append(
            (
                place[1],
                Record(
                    topic=place[0],
                    partition=0,
                    offset=offsets[place],
                    timestamp_ms=draw(st.integers(1_700_000_000_000, 1_700_000_000_002)),
                    key=draw(st.sampled_from([b"k1", b"k2", None])),
                    value=value,
                    value_length=len(value),
                ),
            )
        )
        offsets[place] += 1
    return drawn


def step(data: st.DataObject, catalogue: Catalogue) -> None:
    """Decode some of those that wait, whether their schema is known by now or not."""
    waiting = sorted(AwaitingRecord.objects.values_list("record", flat=True))
    if waiting:
        late.decode_late(data.draw(st.lists(st.sampled_from(waiting), unique=True)), catalogue)
