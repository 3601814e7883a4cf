"""A batch straight from its records: what `prepare` and `batch_of` say, on a short way.

Nearly all records of a busy topic are ordinary (`codec.ordinary`). Of these no envelope, no event
and nothing else is made on the way to their rows; all others go the long way, in their places.
"""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec

from tracing.codec import fields, ordinary
from tracing.codec.dialects import native
from tracing.codec.keys import keys_in
from tracing.codec.ordinary import Ordinary
from tracing.codec.rules import key_fields
from tracing.domain.text import MAX_LABEL, digest16, hash64, readable
from tracing.models.source import record_id
from tracing.projections.batch import Batch, Builder
from tracing.projections.packing import Packed
from tracing.projections.rows import Prepared, prepare
from tracing.projections.saga_decisions import applied_sagas
from tracing.projections.settings import current_rules
from tracing.projections.versions import INTERVAL_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from tracing.domain.record import Record
    from tracing.projections.catalogue import Catalogue

_LET_GO: dict[str, object] = {}


class _Name(msgspec.Struct):
    """A type, service and version that events of a batch have; `records` are by interval."""

    pair: tuple[str, str]
    version: str | None
    node: int = 0
    records: Counter[int] = msgspec.field(default_factory=Counter)


class _Read(msgspec.Struct, array_like=True, gc=False):
    """What is kept of an ordinary record until all of the batch are read: not its payload."""

    body: Ordinary
    name: _Name
    keys: list[int]
    reason: str | None


def batch_from(records: Sequence[tuple[int, Record]], catalogue: Catalogue) -> Batch:
    """Return what is written of these records, given with their partition's id."""
    hashed = functools.cache(hash64)
    names, found = _read_all(records, hashed)
    long_way = [pair for pair, read in zip(records, found, strict=True) if read is None]
    others: dict[int, list[Prepared]] = defaultdict(list)
    for item in prepare(long_way, catalogue):
        others[item.fact.record].append(item)
    nodes = catalogue.node_ids({name.pair for name in names})
    for name in names:
        name.node = nodes[name.pair]
    builder = Builder()
    _add(builder, records, found, others)
    for name in names:
        for interval, count in name.records.items():
            builder.versions[name.node, name.version or "", "", interval] += count
    return builder.batch()


def _read_all(
    records: Iterable[tuple[int, Record]], hashed: Callable[[str], int]
) -> tuple[list[_Name], list[_Read | None]]:
    """Return the names that come, and what is read of each record, None of one not ordinary."""
    rules, families = current_rules(), applied_sagas().families
    wanted = key_fields(rules.key_fields)
    names: dict[tuple[object, ...], _Name | None] = {}
    found: list[_Read | None] = []
    topic, fits = "", False
    for _, record in records:
        if record.topic != topic:
            topic = record.topic
            fits = ordinary.ordinary_topic(topic, rules)
        body = ordinary.read(record) if fits else None
        name = None
        if body is not None:
            said = (body.event_type, body.source, body.schema_version)
            if said not in names:
                names[said] = _name_of(body, families)
            name = names[said]
        if body is None or name is None:
            found.append(None)
            continue
        payload = body.payload
        keys = [hashed(key) for key in keys_in(payload, wanted)]
        reason = fields.label(payload["reason"]) if "reason" in payload else None
        # Ten thousand payloads would be 15 MB.
        body.payload = _LET_GO
        found.append(_Read(body, name, keys, reason))
    return [name for name in names.values() if name is not None], found


def _name_of(body: Ordinary, families: Container[str]) -> _Name | None:
    """Return an envelope's name; None where its payload tells which sagas it is part of."""
    event_type = fields.label(body.event_type)
    if event_type is None or event_type in families:
        return None
    service = fields.label(body.source) or ""
    return _Name((event_type, service), fields.label(body.schema_version))


def _add(
    builder: Builder,
    records: Iterable[tuple[int, Record]],
    found: Iterable[_Read | None],
    others: Mapping[int, Iterable[Prepared]],
) -> None:
    """Add the records' events to a batch, in their order."""
    # Most ids and keys of a batch come several times: each is hashed once.
    digest, text_of = functools.cache(digest16), functools.cache(_text_of)
    rows, flows = builder.rows, builder.flows
    for (partition_id, record), read in zip(records, found, strict=True):
        number = record_id(partition_id, record.offset)
        if read is None:
            for item in others[number]:
                builder.add(item)
            continue
        body, name, timestamp_ms = read.body, read.name, record.timestamp_ms
        event_id, cause = body.event_id, body.causation_id
        flow = flows.get(body.correlation_id) or builder.flow(body.correlation_id)
        flow.joined_by = "correlation"
        flow.indexes.append(len(rows))
        flow.keys.update(read.keys)
        key, key_hash = (None, None) if record.key is None else text_of(record.key)
        if key_hash is not None:
            flow.keys.add(key_hash)
        occurred_us = fields.time_us(body.timestamp)
        fact = Packed(
            number,
            0,
            digest(event_id),
            None if cause is None else digest(cause),
            name.node,
            timestamp_ms * 1000 if occurred_us is None else occurred_us,
            timestamp_ms,
            key_hash,
        )
        flow.facts.append(fact)
        row = (
            number,
            0,
            name.node,
            event_id,
            hash64(event_id),
            cause,
            timestamp_ms,
            occurred_us,
            key,
            name.version,
            read.reason,
            native.DIALECT,
            None,
        )
        rows.append(row)
        name.records[timestamp_ms // INTERVAL_MS] += 1


def _text_of(key: bytes) -> tuple[str, int]:
    text = readable(key, MAX_LABEL)
    return text, hash64(text)
