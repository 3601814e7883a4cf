"""From records to rows, before any transaction: decoding is the slow part and needs no lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tracing.codec import decode
from tracing.domain.event import Event
from tracing.domain.facts import Fact, fact_of
from tracing.domain.record import Header, Record
from tracing.models.source import coordinates_of, record_id
from tracing.projections.settings import current_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.models import Record as RecordRow
    from tracing.projections.catalogue import Catalogue

_encode = msgspec.msgpack.Encoder().encode
_decode_headers = msgspec.msgpack.Decoder(tuple[Header, ...]).decode


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """One event on its way into the read models."""

    event: Event
    fact: Fact
    node: int


def record_row(record: Record, partition_id: int) -> tuple[Any, ...]:
    """Return the log's row of a record, in the order of `store.INSERT_RECORD`."""
    return (
        record_id(partition_id, record.offset),
        record.timestamp_ms,
        record.key,
        record.value,
        record.value_length,
        record.value_sha256,
        _encode(record.headers) if record.headers else b"",
        record.error,
    )


def record_of(row: RecordRow, catalogue: Catalogue) -> Record:
    """Return a stored record as it was read."""
    partition_id, offset = coordinates_of(row.id)
    topic, number = catalogue.place(partition_id)
    return Record(
        topic=topic,
        partition=number,
        offset=offset,
        timestamp_ms=row.timestamp_ms,
        key=_bytes(row.key),
        value=_bytes(row.value),
        headers=headers_of(row.headers),
        value_length=row.value_length,
        value_sha256=_bytes(row.value_sha256),
        error=row.error,
    )


def _bytes(value: bytes | memoryview | None) -> bytes | None:
    """Return bytes: Postgres hands out memoryviews."""
    return None if value is None else bytes(value)


def headers_of(blob: bytes | memoryview) -> tuple[Header, ...]:
    """Return the ordered headers of a stored record."""
    return _decode_headers(blob) if blob else ()


def prepare(records: Iterable[tuple[int, Record]], catalogue: Catalogue) -> list[Prepared]:
    """Decode records, given with their partition's id, into events with facts and node numbers."""
    rules = current_rules()
    decoded = [
        (event, fact_of(event, record_id(partition_id, record.offset)))
        for partition_id, record in records
        for event in decode(record, rules).events
    ]
    nodes = catalogue.node_ids((event.type, event.service) for event, _ in decoded)
    return [Prepared(event, fact, nodes[event.type, event.service]) for event, fact in decoded]
