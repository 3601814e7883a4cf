"""A flow's row as a pure function of the set of its facts.

The union of sets is commutative and idempotent, so the order of arrival, repeated reading and the
cut into batches cannot show in the row. A flow above `LARGE` records keeps only sums, minima and
maxima (`Sums`), which bear the same law because each coordinate is folded in exactly once.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.causality import canonical, dead, marks
from tracing.domain.facts import Fact, Place
from tracing.domain.failure import Tier
from tracing.domain.marks import Mark
from tracing.domain.rules import BY_NAME, Role, Roles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LARGE = 1_000
# Of a large flow, this many (type, service) pairs are counted apart: those first by name. A pair
# that was pushed out can never come back, so its count cannot depend on the order of arrival.
MAX_NODES = 64

# An order that depends on content only: (time in us, place).
When = tuple[int, Place]


class State(enum.IntEnum):
    """Where a flow stands, as far as its events alone tell; nothing here depends on now."""

    OPEN = 0
    DONE = 1
    FAILED = 2
    COMPENSATED = 3
    # No record of the flow names an event: there is nothing to wait for.
    PLAIN = 4


class Node(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How often a (type, service) pair occurred, and where first."""

    count: int
    first: When


class Sums(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What a flow's row is made from: a fold over its records, in any order."""

    records: int
    events: int
    started_ms: int
    last_ms: int
    first_us: int
    last_us: int
    roles: int
    undecodable: bool
    plain: bool
    root: tuple[bool, int, Place]
    failure: When | None
    nodes: dict[str, Node]


class FlowRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the flow list. `strip` holds (type, service, count) by first occurrence.

    `started_ms` and `last_ms` are Kafka's time, `duration_us` the events' own. `root` and
    `failure` are the places of the first event and of the first failed one.
    """

    state: State
    marks: int
    records: int
    events: int
    started_ms: int
    last_ms: int
    duration_us: int
    root: Place
    failure: Place | None
    strip: tuple[tuple[str, str, int], ...]


def node_name(event_type: str, service: str) -> str:
    """Return one sortable text for a (type, service) pair; both parts are cleaned of NUL."""
    return f"{event_type}\x00{service}"


def sums_of(facts: Sequence[Fact], *, records: int, roles: Roles = BY_NAME) -> Sums:
    """Fold at least one fact into sums; `records` counts the copies too. Cost: linear."""
    nodes: dict[tuple[str, str], Node] = {}
    played = Role.PLAIN
    failures: list[When] = []
    for fact in facts:
        when = (fact.time_us, fact.place)
        pair = (fact.type, fact.service)
        known = nodes.get(pair)
        nodes[pair] = Node(known.count + 1, min(known.first, when)) if known else Node(1, when)
        found = roles.of(fact.type)
        if fact.tier == Tier.DEAD:
            found |= Role.FAILED
        if found:
            played |= found
            if found & Role.FAILED:
                failures.append(when)
    return Sums(
        records=records,
        events=len(facts),
        started_ms=min(fact.timestamp_ms for fact in facts),
        last_ms=max(fact.timestamp_ms for fact in facts),
        first_us=min(fact.time_us for fact in facts),
        last_us=max(fact.time_us for fact in facts),
        roles=int(played),
        undecodable=any(fact.undecodable for fact in facts),
        plain=all(fact.plain for fact in facts),
        root=min((fact.cause is not None, fact.time_us, fact.place) for fact in facts),
        failure=min(failures, default=None),
        nodes=_bounded({node_name(*pair): node for pair, node in nodes.items()}),
    )


def merge(one: Sums, other: Sums) -> Sums:
    """Return the sums of both; commutative and associative."""
    failures = [failure for failure in (one.failure, other.failure) if failure is not None]
    return Sums(
        records=one.records + other.records,
        events=one.events + other.events,
        started_ms=min(one.started_ms, other.started_ms),
        last_ms=max(one.last_ms, other.last_ms),
        first_us=min(one.first_us, other.first_us),
        last_us=max(one.last_us, other.last_us),
        roles=one.roles | other.roles,
        undecodable=one.undecodable or other.undecodable,
        plain=one.plain and other.plain,
        root=min(one.root, other.root),
        failure=min(failures, default=None),
        nodes=_merge_nodes(one.nodes, other.nodes),
    )


def _merge_nodes(one: dict[str, Node], other: dict[str, Node]) -> dict[str, Node]:
    merged = dict(one)
    for name, node in other.items():
        known = merged.get(name)
        merged[name] = (
            Node(known.count + node.count, min(known.first, node.first)) if known else node
        )
    return _bounded(merged)


def _bounded(nodes: dict[str, Node]) -> dict[str, Node]:
    if len(nodes) <= MAX_NODES:
        return nodes
    return {name: nodes[name] for name in sorted(nodes)[:MAX_NODES]}


def derive(facts: Iterable[Fact], roles: Roles = BY_NAME) -> FlowRow:
    """Return the row of a flow of at most `LARGE` records, from all its facts (one or more)."""
    held = list(facts)
    events = canonical(held)
    total = sums_of(list(events.values()), records=len(held), roles=roles)
    # The copies widen the flow's span in Kafka's time, but are no events of their own. A dead
    # letter that nobody retried yet is where the flow failed.
    total = msgspec.structs.replace(
        total,
        started_ms=min(fact.timestamp_ms for fact in held),
        last_ms=max(fact.timestamp_ms for fact in held),
    )
    died = dead(held)
    if died:
        failures = [(fact.time_us, fact.place) for fact in died]
        if total.failure is not None:
            failures.append(total.failure)
        total = msgspec.structs.replace(
            total, roles=total.roles | Role.FAILED, failure=min(failures)
        )
    found = Mark(0)
    for mark in marks(held, events).values():
        found |= mark
    return row_of(total, found)


def derive_large(total: Sums) -> FlowRow:
    """Return the row of a flow above `LARGE` records: its events are not told apart."""
    return row_of(total, Mark.LARGE | (Mark.UNDECODABLE if total.undecodable else Mark(0)))


def row_of(total: Sums, found: Mark) -> FlowRow:
    """Turn sums and marks into the row."""
    ordered = sorted(total.nodes.items(), key=lambda item: item[1].first)
    strip = []
    for name, node in ordered:
        event_type, _, service = name.partition("\x00")
        strip.append((event_type, service, node.count))
    return FlowRow(
        state=State.PLAIN if total.plain else state_of(Role(total.roles)),
        marks=int(found),
        records=total.records,
        events=total.events,
        started_ms=total.started_ms,
        last_ms=total.last_ms,
        duration_us=total.last_us - total.first_us,
        root=total.root[2],
        failure=total.failure[1] if total.failure else None,
        strip=tuple(strip),
    )


def state_of(roles: Role) -> State:
    """Return where a flow stands that holds events of these roles."""
    if roles & Role.COMPENSATION:
        return State.COMPENSATED
    if roles & Role.FAILED:
        return State.FAILED
    return State.DONE if roles & Role.END else State.OPEN
