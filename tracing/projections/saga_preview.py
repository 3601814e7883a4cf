"""What the newest flows would be under a definition that nobody has put in force yet."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from tracing.codec.saga_keys import key_of
from tracing.domain.saga.definition import BY_CORRELATION, Definition
from tracing.domain.saga.derive import derive
from tracing.domain.saga.instance import Instance
from tracing.models import Flow
from tracing.projections import packing
from tracing.projections.flow_reading import FlowFilter, list_flows
from tracing.projections.names import names
from tracing.projections.record_reading import decode_stored, stored_records

if TYPE_CHECKING:
    from tracing.domain.facts import Fact

# So many of the newest flows with a starting event are tried.
FLOWS = 20
# A business key is in the payload: so many records are decoded for it.
MAX_RECORDS = 1_000


class Would(msgspec.Struct, frozen=True):
    """One saga as it would be; `correlation_id` is its flow's."""

    key: str
    correlation_id: str
    instance: Instance


class Preview(msgspec.Struct, frozen=True):
    """The sagas, the newest first; `flows` were looked at, `unseen` types occur in none of them.

    `cut` tells that not all their events were looked at.
    """

    would: tuple[Would, ...]
    flows: int
    unseen: tuple[str, ...]
    cut: bool


def preview(definition: Definition, *, now_ms: int) -> Preview:
    """Derive the newest flows that hold a starting event; nothing is written.

    Costs what a filtered list of flows costs, and a look-up by key for each record where
    instances are told apart by what is in it.
    """
    wanted = FlowFilter(type=definition.starts[0])
    page = list_flows(wanted, cursor=None, limit=FLOWS, now_ms=now_ms)
    correlation_of = {line.id: line.correlation_id for line in page.lines}
    rows = Flow.objects.filter(id__in=correlation_of).values_list("id", "facts")
    facts: list[tuple[int, Fact]] = []
    for flow_id, blob in rows:
        held = packing.unpack(packing.load(blob).facts, names())
        facts.extend((flow_id, fact) for fact in held if fact.type in definition.acts)
    cut = definition.key != BY_CORRELATION and len(facts) > MAX_RECORDS
    groups = _groups(definition, facts, correlation_of)
    would = [
        Would(key, correlation_of[flow_id], found)
        for (flow_id, key), members in groups.items()
        if (found := derive(members, definition)) is not None
    ]
    seen = {fact.type for _, fact in facts}
    return Preview(
        tuple(sorted(would, key=lambda one: -one.instance.started_ms)),
        len(page.lines),
        tuple(event_type for event_type in definition.acts if event_type not in seen),
        cut,
    )


def _groups(
    definition: Definition, facts: list[tuple[int, Fact]], correlation_of: dict[int, str]
) -> dict[tuple[int, str], list[Fact]]:
    """Return the facts of each instance, by a flow of it and its key."""
    groups: dict[str, list[tuple[int, Fact]]] = defaultdict(list)
    if definition.key == BY_CORRELATION:
        for flow_id, fact in facts:
            groups[correlation_of[flow_id]].append((flow_id, fact))
    else:
        keys = _keys(definition.key, [fact for _, fact in facts[:MAX_RECORDS]])
        for flow_id, fact in facts:
            key = keys.get((fact.record, fact.part))
            if key is not None:
                groups[key].append((flow_id, fact))
    return {(members[0][0], key): [fact for _, fact in members] for key, members in groups.items()}


def _keys(rule: str, facts: list[Fact]) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    records = stored_records({fact.record for fact in facts})
    for number, record in records.items():
        decoded = decode_stored(record)
        for event in decoded.events:
            key = key_of(rule, event, record, decoded.payloads[event.part])
            if key is not None:
                found[number, event.part] = key
    return found
