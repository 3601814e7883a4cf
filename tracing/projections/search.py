"""The search field: an event id, a correlation id, a record key or a record's coordinates."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

import msgspec

from tracing.codec import decode
from tracing.codec.keys import named_keys
from tracing.domain.text import clean, hash64
from tracing.models import Partition
from tracing.models.source import record_id
from tracing.projections.event_reading import StoredEvent, find_events, stored
from tracing.projections.events import of_records
from tracing.projections.flow_graph import find_flow
from tracing.projections.flow_reading import FlowLine, flow_rows, lines_of
from tracing.projections.plain_sql import select
from tracing.projections.record_reading import stored_record
from tracing.projections.settings import current_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_HITS = 50
# Fewer digits than a column holds, and an offset that a record id has room for.
_COORDINATES = re.compile(r"^(.{1,249})\[(\d{1,9})\]@(\d{1,13})$")
MAX_RELATED = 10


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """Something that carries exactly the text that was asked for."""

    kind: Literal["flow", "event"]
    label: str
    correlation_id: str
    event_id: str | None = None
    line: FlowLine | None = None


def search(text: str) -> list[Hit]:
    """Return what has this id or key, flows by newest start; at most `MAX_HITS`.

    Exact matches only: each is one index look-up, whatever is stored. A single hit has no line: it
    leads to its page.
    """
    wanted = clean(text.strip())
    if not wanted:
        return []
    flow = find_flow(wanted)
    # An event without a correlation id names its flow: one hit is enough.
    events = [
        Hit(
            kind="event",
            label=item.event.type,
            correlation_id=item.event.correlation_id,
            event_id=item.event.event_id,
        )
        for item in find_events(wanted) or _at_coordinates(wanted)
        if item.event.correlation_id != wanted
    ]
    known = {wanted, *(hit.correlation_id for hit in events)}
    others = [
        row for row in flow_rows(_flows_with([wanted], MAX_HITS)) if row.correlation_id not in known
    ]
    own = [] if flow is None else [flow]
    rows = [*own, *others]
    if len(rows) == 1 and not events:
        return [Hit(kind="flow", label=wanted, correlation_id=rows[0].correlation_id)]
    flows = [
        Hit(kind="flow", label=wanted, correlation_id=line.correlation_id, line=line)
        for line in lines_of(rows)
    ]
    # The flow of that very id comes first, and those that only carry it may be many.
    return [*flows[: len(own)], *events, *flows[len(own) :]][:MAX_HITS]


class Related(msgspec.Struct, frozen=True):
    """A flow that shares a key with another one: the key, and the payload's field that has it.

    `field` is empty where it is the records' key.
    """

    line: FlowLine
    field: str
    key: str


def related_flows(line: FlowLine, root: int) -> list[Related]:
    """Return flows that share a key with the first event of this one, newest first.

    `root` is the first event's record. At most `MAX_RELATED`; costs four look-ups by key.
    """
    found = stored_record(root, 0)
    if found is None:
        return []
    rules = current_rules()
    # What people call the flow by comes first.
    keys = {line.key: ""} if line.key else {}
    for payload in decode(found.record, rules).payloads:
        keys |= named_keys(payload, rules.key_fields)
    by_flow = _flows_with(keys, 4 * MAX_RELATED + 1)
    by_flow.pop(line.id, None)
    # Newest first, and only of those that are shown more is read.
    related = lines_of(flow_rows(by_flow)[:MAX_RELATED])
    return [Related(one, keys[by_flow[one.id]], by_flow[one.id]) for one in related]


def _flows_with(keys: Iterable[str], limit: int) -> dict[int, str]:
    """Return the newest flows that have one of these keys, and which. One look-up a key."""
    # Of several keys at once, the index gives no order: a common key would be read as a whole.
    condition = f"key_hash = %s ORDER BY flow_id DESC LIMIT {limit}"
    found: dict[int, str] = {}
    for key in keys:
        for (flow_id,) in select(("flow_id",), "tracing_searchkey", condition, (hash64(key),)):
            found.setdefault(flow_id, key)
    return dict(sorted(found.items(), reverse=True)[:limit])


def _at_coordinates(text: str) -> list[StoredEvent]:
    """Return the events of the record at `topic[partition]@offset`, of each topic of that name."""
    match = _COORDINATES.match(text)
    if match is None:
        return []
    partitions = Partition.objects.filter(source__topic=match[1], number=int(match[2]))
    offset = int(match[3])
    records = [record_id(row.id, offset) for row in partitions[:MAX_HITS]]
    rows = sorted(of_records(records), key=attrgetter("position"))
    return stored(rows[:MAX_HITS])
