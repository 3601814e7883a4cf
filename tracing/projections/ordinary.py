"""A batch straight from its records: what `prepare` and `batch_of` say, on a short way.

Nearly all records of a busy topic are ordinary (`codec.ordinary`). Of these no envelope, no event
and nothing else is made on the way to their rows; all others go the long way, in their places.
"""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec

from tracing.codec import fields, ordinary
from tracing.codec.dialects import native
from tracing.codec.keys import keys_in
from tracing.codec.rules import key_fields
from tracing.domain.text import MAX_LABEL, digest16, hash64, readable
from tracing.models.source import OFFSET_BITS
from tracing.projections.batch import Batch, Builder
from tracing.projections.packing import Packed
from tracing.projections.record_log import pairs
from tracing.projections.record_rows import BLOCK, BLOCK_BITS, Row
from tracing.projections.rows import Prepared, prepare
from tracing.projections.saga_decisions import applied_sagas
from tracing.projections.settings import current_rules
from tracing.projections.versions import INTERVAL_MS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from tracing.projections.catalogue import Catalogue
    from tracing.projections.record_rows import Values

# Of stored blocks, their numbers and lengths.
Blocks = Sequence[tuple[int, int]]
_Said = tuple[str, str | None, str | int | None]
# So often a batch looks up new names at once. A process that begins knows none, and if its whole
# first batch waited for them, that would take more memory than any later one.
ASKS = 8
_OFFSETS = BLOCK - 1
_id = itemgetter(0)


class _Name(msgspec.Struct):
    """A type, service and version that events of a batch have; `records` are by interval.

    `node` is 0 until the catalogue is asked for it.
    """

    pair: tuple[str, str]
    version: str | None
    node: int
    records: Counter[int] = msgspec.field(default_factory=Counter)


class _Names(dict[_Said, "_Name | None"]):
    """Names by what envelopes say: their type, source and version.

    None where the payload tells which sagas an event is part of.
    """

    def __init__(self, families: Container[str], catalogue: Catalogue) -> None:
        """Begin with none; `families` has the types that sagas know."""
        super().__init__()
        self._families = families
        self._catalogue = catalogue
        self.unknown: list[_Name] = []

    def __missing__(self, said: _Said) -> _Name | None:
        """Make a name that comes for the first time."""
        event_type = fields.label(said[0])
        name = None
        if event_type is not None and event_type not in self._families:
            pair = event_type, fields.label(said[1]) or ""
            name = _Name(pair, fields.label(said[2]), self._catalogue.node_in_memory(pair) or 0)
            if not name.node:
                self.unknown.append(name)
        self[said] = name
        return name

    def ask(self) -> None:
        """Look up those that are unknown, all at once."""
        nodes = self._catalogue.node_ids({name.pair for name in self.unknown})
        for name in self.unknown:
            name.node = nodes[name.pair]
        self.unknown.clear()


# What is kept of an ordinary record until those that are read with it are, not its payload: the ids
# of the event, its flow and its cause, its time as it came, its name, its keys' hashes, its reason.
_Read = tuple[str, str, str | None, object, _Name, dict[int, str], str | None]


class Reading:
    """A batch in the making, from its records' rows in the log: some after the other.

    Some at a time: what is made of them is still in the processor's cache when it is needed.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        """Begin with none."""
        self._catalogue = catalogue
        self._builder = Builder()
        self._rules = current_rules()
        self._wanted = key_fields(self._rules.key_fields)
        self._names = _Names(applied_sagas().families, catalogue)
        # From the first on that asks the database for something: a batch asks for all at once.
        self._waiting: list[tuple[Sequence[Values], list[_Read | None], Blocks]] = []
        self._asks = ASKS
        # Most ids and keys of a batch come several times: each is looked at and hashed once.
        self._key_hash = functools.cache(_key_hash)
        self._digest = functools.cache(digest16)
        self._text_of = functools.cache(_text_of)

    def add(self, rows: Sequence[Values], blocks: Blocks = ()) -> None:
        """Add records, given as their rows, behind those that were added before.

        `blocks` are those that are stored of them, by number and length.
        """
        found = self._read(rows)
        if self._names.unknown and self._asks:
            self._asks -= 1
            self._names.ask()
        if self._waiting or self._names.unknown or None in found:
            self._waiting.append((rows, found, blocks))
        else:
            self._write_all(rows, found, blocks, {})

    def batch(self) -> Batch:
        """Return what is written of all that was added."""
        long_way = [
            Row(*row)
            for rows, found, _ in self._waiting
            for row, read in zip(rows, found, strict=True)
            if read is None
        ]
        others: dict[int, list[Prepared]] = defaultdict(list)
        for item in prepare(pairs(long_way, self._catalogue), self._catalogue):
            others[item.fact.record].append(item)
        self._names.ask()
        for rows, found, blocks in self._waiting:
            self._write_all(rows, found, blocks, others)
        for name in filter(None, self._names.values()):
            for interval, count in name.records.items():
                self._builder.versions[name.node, name.version or "", "", interval] += count
        return self._builder.batch()

    def _read(self, rows: Iterable[Values]) -> list[_Read | None]:
        """Return what is read of each record, None of one that is not ordinary."""
        names, wanted, key_hash = self._names, self._wanted, self._key_hash
        found: list[_Read | None] = []
        partition, fits = None, False
        for number, _, _, value, _, sha256, headers, error in rows:
            if number >> OFFSET_BITS != partition:
                partition = number >> OFFSET_BITS
                fits = ordinary.ordinary_topic(self._catalogue.place(partition)[0], self._rules)
            plain = fits and sha256 is None and not headers and error is None
            body = ordinary.read(value) if plain else None
            name = None
            if body is not None:
                name = names[body.event_type, body.source, body.schema_version]
            if body is None or name is None:
                found.append(None)
                continue
            payload = body.payload
            keys = keys_in(payload, wanted, key_hash)
            reason = fields.label(payload["reason"]) if "reason" in payload else None
            ids = body.event_id, body.correlation_id, body.causation_id
            found.append((*ids, body.timestamp, name, keys, reason))
        return found

    def _write_all(
        self,
        rows: Sequence[Values],
        found: Sequence[_Read | None],
        blocks: Blocks,
        others: Mapping[int, Iterable[Prepared]],
    ) -> None:
        """Add the records' events to the batch: those of blocks without others as such."""
        at = 0
        for block, length in blocks:
            begin = bisect_left(rows, block << BLOCK_BITS, at, key=_id)
            end = begin + length
            if None not in found[begin:end]:
                self._write(rows[at:begin], found[at:begin], others)
                present = sum([1 << (row[0] & _OFFSETS) for row in rows[begin:end]])
                self._builder.blocks.append((len(self._builder.digests), block, present))
                self._write(rows[begin:end], found[begin:end], {}, in_block=True)
                at = end
        self._write(rows[at:], found[at:], others)

    def _write(
        self,
        rows: Iterable[Values],
        found: Iterable[_Read | None],
        others: Mapping[int, Iterable[Prepared]],
        *,
        in_block: bool = False,
    ) -> None:
        """Add the records' events to the batch."""
        digest, text_of = self._digest, self._text_of
        digests, events, flows = self._builder.digests, self._builder.rows, self._builder.flows
        for (number, timestamp_ms, raw_key, _, _, _, _, _), read in zip(rows, found, strict=True):
            if read is None:
                for item in others[number]:
                    self._builder.add(item)
                continue
            event_id, correlation_id, cause, timestamp, name, keys, reason = read
            flow = flows.get(correlation_id) or self._builder.flow(correlation_id)
            flow.joined_by = "correlation"
            flow.indexes.append(len(digests))
            flow.keys.update(keys)
            key, key_hash = (None, None) if raw_key is None else text_of(raw_key)
            if key_hash is not None:
                flow.keys.add(key_hash)
            occurred_us = fields.time_us(timestamp)
            event = digest(event_id)
            fact = Packed(
                number,
                0,
                event,
                None if cause is None else digest(cause),
                name.node,
                timestamp_ms * 1000 if occurred_us is None else occurred_us,
                timestamp_ms,
                key_hash,
            )
            flow.facts.append(fact)
            name.records[timestamp_ms // INTERVAL_MS] += 1
            if not in_block:
                row = (
                    len(digests),
                    number,
                    0,
                    name.node,
                    event_id,
                    cause,
                    timestamp_ms,
                    occurred_us,
                    key,
                    name.version,
                    reason,
                    native.DIALECT,
                    None,
                )
                events.append(row)
            digests.append(event)


def _key_hash(text: str) -> int | None:
    key = fields.identifier(text)
    return None if key is None else hash64(key)


def _text_of(key: bytes) -> tuple[str, int]:
    text = readable(key, MAX_LABEL)
    return text, hash64(text)
