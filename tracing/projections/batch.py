"""A batch as it is written: what can be known before the lock on `log_head` is worked out here."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from tracing.domain.event import JoinedBy
from tracing.domain.text import hash64
from tracing.projections import flows
from tracing.projections.event_index import KEY_BYTES
from tracing.projections.packing import Packed
from tracing.projections.rows import Prepared, columns_of
from tracing.projections.versions import INTERVAL_MS, Key

if TYPE_CHECKING:
    from collections.abc import Iterable


# What is derived of a flow: what `flows` writes of it from its state on, its facts as stored last.
Derived = tuple[Any, ...]


class Share(msgspec.Struct, array_like=True, gc=False):
    """What a batch says of one flow: which of its events are the flow's, their facts and keys.

    `keys` are the distinct hashes of all that the flow is found by. `begun` is what is derived of
    a flow that seems to begin here (`flows.begin`); it holds the facts, which are not said twice.
    """

    correlation_id: str
    flow_hash: int
    joined_by: JoinedBy
    indexes: list[int]
    facts: list[Packed]
    keys: list[int]
    begun: Derived | None = None


class Batch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The events of a batch, ready to be written.

    `keys` are the events' in the index by id, in their order. `rows` are the events that have one,
    each behind its index, without flow and position (`event_rows.ROWS`); `blocks` are those that
    their records say: the first one's index, and what an `EventBlock` says of them.
    `special` has, with their indexes, the events that other read models look at: those that failed,
    wait, could not be decoded or are part of a saga; `versions` counts the versions on the wire.
    Plain values throughout, so that another process may make them.
    """

    keys: bytes
    rows: list[tuple[Any, ...]]
    blocks: list[tuple[int, int, int]]
    shares: list[Share]
    special: list[tuple[int, Prepared]]
    versions: list[tuple[Key, int]]

    def __len__(self) -> int:
        """Return how many events there are."""
        return len(self.keys) // KEY_BYTES


class Touched(msgspec.Struct, gc=False):
    """What a flow gets of a batch, so far. Of several ways of joining, the most explicit counts."""

    joined_by: JoinedBy
    indexes: list[int]
    facts: list[Packed]
    keys: set[int]


class Builder:
    """A batch in the making: events are added in their order."""

    def __init__(self) -> None:
        """Begin with none."""
        self.digests: list[bytes] = []
        self.rows: list[tuple[Any, ...]] = []
        self.blocks: list[tuple[int, int, int]] = []
        self.flows: dict[str, Touched] = {}
        self._special: list[tuple[int, Prepared]] = []
        self.versions: Counter[Key] = Counter()

    def flow(self, correlation_id: str) -> Touched:
        """Return what a flow gets, which is nothing yet."""
        found = self.flows[correlation_id] = Touched("event", [], [], set())
        return found

    def add(self, item: Prepared) -> None:
        """Add an event."""
        event, fact = item.event, item.fact
        index = len(self.digests)
        flow = self.flows.get(event.correlation_id) or self.flow(event.correlation_id)
        if flow.joined_by != event.joined_by:
            flow.joined_by = max(flow.joined_by, event.joined_by, key=flows.RANK.__getitem__)
        flow.indexes.append(index)
        flow.facts.append(fact)
        flow.keys.update(item.keys)
        self.digests.append(fact.event)
        self.rows.append((index, fact.record, event.part, fact.node, *columns_of(event)))
        if event.error is None:
            interval = event.timestamp_ms // INTERVAL_MS
            self.versions[fact.node, event.schema_version or "", item.schema, interval] += 1
        if event.error is not None or event.attempt is not None or event.awaits or item.sagas:
            self._special.append((index, item))

    def batch(self) -> Batch:
        """Return what is written of all that was added."""
        shares = [
            Share(name, hash64(name), flow.joined_by, flow.indexes, flow.facts, sorted(flow.keys))
            for name, flow in self.flows.items()
        ]
        versions = sorted(self.versions.items())
        keys = b"".join([digest[:KEY_BYTES] for digest in self.digests])
        return Batch(keys, self.rows, self.blocks, shares, self._special, versions)


def batch_of(prepared: Iterable[Prepared]) -> Batch:
    """Return what is written of these events."""
    builder = Builder()
    for item in prepared:
        builder.add(item)
    return builder.batch()
