"""The row of an ordinary flow straight from its stored facts: what `derive` says, in one pass.

Nine flows of ten hold no copy of an event. Theirs is the writer's hot path: no object is made of
a fact, and names are looked up once a (type, service) pair.
"""

from __future__ import annotations

import functools
import operator
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.derive import MAX_NODES, FlowRow, State, state_of
from tracing.domain.identity import UNDECODABLE, UNTYPED
from tracing.domain.marks import Mark
from tracing.domain.rules import BY_NAME, Role, Roles
from tracing.models.source import OFFSET_BITS, coordinates_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.domain.facts import Place
    from tracing.projections.catalogue import Catalogue
    from tracing.projections.packing import Packed

_time = attrgetter("time_us")
_tier = attrgetter("tier")
_timestamp = attrgetter("timestamp_ms")
# An enum's own operators cost more than all else here.
_MISSING_CAUSE = int(Mark.MISSING_CAUSE)
_OUT_OF_ORDER = int(Mark.OUT_OF_ORDER)


def plain_row(
    facts: Sequence[Packed], catalogue: Catalogue, roles: Roles = BY_NAME
) -> FlowRow | None:
    """Return the row of a flow, from all its facts in the order of their records.

    None where the facts need `derive`: copies of an event or attempts at one, a topic that was
    made anew, more types than a row counts apart. The result never depends on which of the two
    made it.
    """
    times = {fact.event: fact.time_us for fact in facts}
    if len(times) < len(facts) or any(map(_tier, facts)) or _made_anew(facts, catalogue):
        return None
    ordered = _ordered(facts, times, catalogue)
    counts: dict[int, int] = {}
    root = failure = None
    # What is in the order of all records is in that of each partition.
    marks = 0 if ordered is facts else _order(ordered)
    for fact in ordered:
        node = fact.node
        counts[node] = counts.get(node, 0) + 1
        cause = fact.cause
        if cause is None:
            root = root or fact
        elif cause not in times:
            marks |= _MISSING_CAUSE
        elif fact.time_us < times[cause]:
            marks |= _OUT_OF_ORDER
    if len(counts) > MAX_NODES:
        return None
    kind = _kind(catalogue, tuple(counts), roles)
    if kind.failing:
        failure = next(fact for fact in ordered if fact.node in kind.failing)
    return FlowRow(
        state=kind.state,
        marks=marks | kind.marks,
        records=len(facts),
        events=len(facts),
        started_ms=min(map(_timestamp, facts)),
        last_ms=max(map(_timestamp, facts)),
        duration_us=ordered[-1].time_us - ordered[0].time_us,
        root=_place(root or ordered[0], catalogue),
        failure=None if failure is None else _place(failure, catalogue),
        strip=tuple([(*pair, n) for pair, n in zip(kind.pairs, counts.values(), strict=True)]),
    )


def _order(ordered: Sequence[Packed]) -> int:
    """Return the mark where, by time, a key's records are not in their partition's order."""
    newest: dict[tuple[int, int], tuple[int, int]] = {}
    for fact in ordered:
        key = fact.key
        if key is not None:
            partition, at = (fact.record >> OFFSET_BITS, key), (fact.record, fact.part)
            if newest.get(partition, at) > at:
                return _OUT_OF_ORDER
            newest[partition] = at
    return 0


class _Kind(msgspec.Struct, frozen=True):
    """What the nodes of a flow alone decide."""

    pairs: tuple[tuple[str, str], ...]
    state: State
    marks: int
    failing: frozenset[int]


@functools.lru_cache(maxsize=4_096)
def _kind(catalogue: Catalogue, nodes: tuple[int, ...], roles: Roles) -> _Kind:
    """Return what these nodes say; a catalogue's rows never change, and flows are much alike."""
    catalogue.pairs(nodes)
    pairs = tuple([catalogue.pair(node) for node in nodes])
    types = {event_type for event_type, _ in pairs}
    played = functools.reduce(operator.or_, map(roles.of, types))
    return _Kind(
        pairs=pairs,
        state=State.PLAIN if types <= {UNDECODABLE, UNTYPED} else state_of(played),
        marks=int(Mark.UNDECODABLE) if UNDECODABLE in types else 0,
        failing=frozenset(
            node
            for node, (event_type, _) in zip(nodes, pairs, strict=True)
            if roles.of(event_type) & Role.FAILED
        ),
    )


def _made_anew(facts: Sequence[Packed], catalogue: Catalogue) -> bool:
    """Tell whether two of the partitions bear one name; facts are in the order of records."""
    if facts[0].record >> OFFSET_BITS == facts[-1].record >> OFFSET_BITS:
        return False
    partitions = {fact.record >> OFFSET_BITS for fact in facts}
    return len({catalogue.place(partition) for partition in partitions}) < len(partitions)


def _ordered(
    facts: Sequence[Packed], times: dict[bytes, int], catalogue: Catalogue
) -> Sequence[Packed]:
    """Return the facts by time, these themselves if they are; equal times by place."""
    moments = list(times.values())
    if all(map(operator.lt, moments, moments[1:])):
        return facts
    if len(set(moments)) < len(moments):
        # A place is looked up only then.
        return sorted(facts, key=lambda fact: (fact.time_us, _place(fact, catalogue)))
    return sorted(facts, key=_time)


def _place(fact: Packed, catalogue: Catalogue) -> Place:
    partition_id, offset = coordinates_of(fact.record)
    return (*catalogue.place(partition_id), offset, fact.part, fact.record)
