"""From records to rows, before any transaction: decoding is the slow part and needs no lock."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import msgspec

from tracing.codec import decode
from tracing.codec.saga_keys import key_of
from tracing.domain.event import Event
from tracing.domain.text import digest16, hash64
from tracing.models.source import record_id
from tracing.projections.packing import Packed, fact_of
from tracing.projections.saga_decisions import applied_sagas
from tracing.projections.saga_keys import SagaKey, saga_key
from tracing.projections.settings import current_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.codec.decode import Decoded
    from tracing.domain.record import Record
    from tracing.projections.catalogue import Catalogue


class Prepared(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event on its way into the read models.

    Whatever can be known before the lock on `log_head` is: `keys` are the hashes of all that the
    event is found by, `sagas` tells which sagas it is part of, `schema` is the id that the record's
    frame names.
    Plain values throughout, so that another process may make them.
    """

    event: Event
    fact: Packed
    keys: tuple[int, ...]
    sagas: tuple[SagaKey, ...] = ()
    schema: str = ""


def columns_of(event: Event) -> tuple[Any, ...]:
    """Return what an event's row says of it alone, in the order of its columns (`event_rows`)."""
    return (
        event.event_id,
        event.causation_id,
        event.timestamp_ms,
        event.occurred_us,
        event.key,
        event.schema_version,
        event.reason,
        event.dialect,
        event.error,
    )


def prepare(records: Iterable[tuple[int, Record]], catalogue: Catalogue) -> list[Prepared]:
    """Decode records, given with their partition's id, into events with facts and node numbers."""
    rules = current_rules()
    families = applied_sagas().families
    decoded = []
    pairs = set()
    for partition_id, record in records:
        found = decode(record, rules)
        for event in found.events:
            # Few types are part of a saga: for all others this look-up is everything.
            wanted = families.get(event.type)
            sagas = () if wanted is None else _sagas(wanted, event, record, found)
            pair = (event.type, event.service)
            pairs.add(pair)
            number = record_id(partition_id, record.offset)
            decoded.append((event, pair, number, sagas, found.schema))
    nodes = catalogue.node_ids(pairs)
    # Most ids and keys of a batch come several times: each is hashed once.
    digest, number_of = functools.cache(digest16), functools.cache(hash64)
    prepared = []
    for event, pair, number, sagas, schema in decoded:
        fact = fact_of(event, number, nodes[pair], digest, number_of)
        keys = [number_of(key) for key in event.keys]
        if fact.key is not None:
            keys.append(fact.key)
        prepared.append(Prepared(event, fact, tuple(keys), sagas, schema))
    return prepared


def _sagas(
    families: Iterable[tuple[str, str]], event: Event, record: Record, found: Decoded
) -> tuple[SagaKey, ...]:
    """Return the sagas that an event is part of: those whose key it carries."""
    payload = found.payloads[event.part]
    return tuple(
        saga_key(name, rule, key)
        for name, rule in families
        if (key := key_of(rule, event, record, payload)) is not None
    )
