"""A batch as it is written: what can be known before the lock on `log_head` is worked out here."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from tracing.domain.event import JoinedBy
from tracing.domain.text import hash64
from tracing.projections import flows
from tracing.projections.packing import Packed
from tracing.projections.rows import Prepared
from tracing.projections.versions import Key, counted

if TYPE_CHECKING:
    from collections.abc import Sequence


class Share(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a batch says of one flow: which of its events are the flow's, their facts and keys.

    `keys` are the distinct hashes of all that the flow is found by.
    """

    correlation_id: str
    flow_hash: int
    joined_by: JoinedBy
    indexes: list[int]
    facts: list[Packed]
    keys: list[int]


class Batch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The events of a batch, ready to be written.

    `rows` are those of the events, in their order, without flow and position (`store._EVENTS`).
    `special` has, with their indexes, the events that other read models look at: those that failed,
    wait, could not be decoded or are part of a saga; `versions` counts the versions on the wire.
    Plain values throughout, so that another process may make them.
    """

    rows: list[tuple[Any, ...]]
    shares: list[Share]
    special: list[tuple[int, Prepared]]
    versions: list[tuple[Key, int]]

    def __len__(self) -> int:
        """Return how many events there are."""
        return len(self.rows)


def batch_of(prepared: Sequence[Prepared]) -> Batch:
    """Return what is written of these events."""
    touched: dict[str, list[int]] = defaultdict(list)
    rows: list[tuple[Any, ...]] = []
    special: list[tuple[int, Prepared]] = []
    for index, item in enumerate(prepared):
        event, fact = item.event, item.fact
        touched[event.correlation_id].append(index)
        row = (
            fact.record,
            event.part,
            fact.node,
            event.event_id,
            item.event_hash,
            event.causation_id,
            event.timestamp_ms,
            event.occurred_us,
            event.key,
            event.schema_version,
            event.reason,
            event.dialect,
            event.error,
        )
        rows.append(row)
        if event.error is not None or event.attempt is not None or event.awaits or item.sagas:
            special.append((index, item))
    shares = [
        _share([prepared[index] for index in indexes], indexes) for indexes in touched.values()
    ]
    return Batch(rows, shares, special, counted(prepared))


def _share(items: Sequence[Prepared], indexes: list[int]) -> Share:
    correlation_id = items[0].event.correlation_id
    return Share(
        correlation_id,
        hash64(correlation_id),
        max({item.event.joined_by for item in items}, key=flows.RANK.__getitem__),
        indexes,
        [item.fact for item in items],
        sorted(set(itertools.chain.from_iterable([item.keys for item in items]))),
    )
