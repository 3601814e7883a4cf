"""The row of an ordinary flow straight from its stored facts: what `derive` says, in one pass.

Nine flows of ten hold no copy of an event. Theirs is the writer's hot path: no object is made of
a fact, and names are looked up once a (type, service) pair.
"""

from __future__ import annotations

from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

from tracing.domain.derive import MAX_NODES, FlowRow, State, state_of
from tracing.domain.identity import UNDECODABLE, UNTYPED
from tracing.domain.marks import Mark
from tracing.domain.rules import Role, role
from tracing.models.source import OFFSET_BITS, coordinates_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.domain.facts import Place
    from tracing.projections.catalogue import Catalogue
    from tracing.projections.packing import Packed

_time = attrgetter("time_us")
_tier = attrgetter("tier")
_timestamp = attrgetter("timestamp_ms")
_FAILED = int(Role.FAILED)


def plain_row(facts: Sequence[Packed], catalogue: Catalogue) -> FlowRow | None:
    """Return the row of a flow, from all its facts in the order of their records.

    None where the facts need `derive`: copies of an event or attempts at one, a topic that was
    made anew, more types than a row counts apart. The result never depends on which of the two
    made it.
    """
    times = {fact.event: fact.time_us for fact in facts}
    if len(times) < len(facts) or any(map(_tier, facts)) or _made_anew(facts, catalogue):
        return None
    ordered = _ordered(facts, catalogue)
    counts: dict[int, int] = {}
    for fact in ordered:
        counts[fact.node] = counts.get(fact.node, 0) + 1
    if len(counts) > MAX_NODES:
        return None
    catalogue.pairs(counts)
    pairs = {node: catalogue.pair(node) for node in counts}
    roles = 0
    failing = set()
    for node, (event_type, _) in pairs.items():
        found = int(role(event_type))
        roles |= found
        if found & _FAILED:
            failing.add(node)
    types = {event_type for event_type, _ in pairs.values()}
    root = next((fact for fact in ordered if fact.cause is None), ordered[0])
    failure = next((fact for fact in ordered if fact.node in failing), None) if failing else None
    return FlowRow(
        state=State.PLAIN if types <= {UNDECODABLE, UNTYPED} else state_of(Role(roles)),
        marks=_marks(facts, times) | (Mark.UNDECODABLE.value if UNDECODABLE in types else 0),
        records=len(facts),
        events=len(facts),
        started_ms=min(map(_timestamp, facts)),
        last_ms=max(map(_timestamp, facts)),
        duration_us=ordered[-1].time_us - ordered[0].time_us,
        root=_place(root, catalogue),
        failure=None if failure is None else _place(failure, catalogue),
        strip=tuple([(*pairs[node], count) for node, count in counts.items()]),
    )


def _made_anew(facts: Sequence[Packed], catalogue: Catalogue) -> bool:
    """Tell whether two of the partitions bear one name."""
    partitions = {fact.record >> OFFSET_BITS for fact in facts}
    if len(partitions) == 1:
        return False
    return len({catalogue.place(partition) for partition in partitions}) < len(partitions)


def _ordered(facts: Sequence[Packed], catalogue: Catalogue) -> list[Packed]:
    """Return the facts by time; equal times by place, which is looked up only then."""
    ordered = sorted(facts, key=_time)
    if any(one.time_us == other.time_us for one, other in pairwise(ordered)):
        ordered.sort(key=lambda fact: (fact.time_us, _place(fact, catalogue)))
    return ordered


def _place(fact: Packed, catalogue: Catalogue) -> Place:
    partition_id, offset = coordinates_of(fact.record)
    return (*catalogue.place(partition_id), offset, fact.part, fact.record)


def _marks(facts: Sequence[Packed], times: dict[bytes, int]) -> int:
    """Return what `causality.marks` finds of causes and of the order in partitions."""
    missing = late = False
    newest: dict[tuple[int, int], int] = {}
    for fact in facts:
        time_us = fact.time_us
        if fact.cause is not None:
            cause_us = times.get(fact.cause)
            if cause_us is None:
                missing = True
            elif time_us < cause_us:
                late = True
        if fact.key is not None:
            place = (fact.record >> OFFSET_BITS, fact.key)
            before_us = newest.get(place, time_us)
            if time_us < before_us:
                late = True
            else:
                newest[place] = time_us
    return (Mark.MISSING_CAUSE.value if missing else 0) | (Mark.OUT_OF_ORDER.value if late else 0)
