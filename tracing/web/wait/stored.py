"""What is in the log already of that which somebody waits for. Uses the ORM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tracing.codec.rules import key_fields
from tracing.domain.text import hash64
from tracing.models import Node, SearchKey
from tracing.projections import events as stored_events
from tracing.projections import reading
from tracing.projections.settings import current_rules
from tracing.web.api.whole import whole_events
from tracing.web.wait.wanted import ENVELOPE, Content, content

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.projections.reading import Change
    from tracing.web.api.represent import Json
    from tracing.web.wait.wanted import Wanted

# Of an identifier that a producer writes everywhere only so much is looked through.
MAX_FLOWS: Final = 20
MAX_EVENTS: Final = 500
MAX_READ: Final = 200


def is_indexed(wanted: Wanted) -> bool:
    """Tell whether the search keys alone say where such an event is."""
    identifying = key_fields(current_rules().key_fields)
    return any(match.field in ENVELOPE or identifying[match.field] for match in wanted.matches)


def find(wanted: Wanted, recent: list[Change]) -> Json | None:
    """Return the newest stored event that is wanted, as JSON; `recent` are changes to look at too.

    A few look-ups by key a match and a flow, of whose newest `MAX_EVENTS` events are read; at most
    `MAX_READ` are compared.
    """
    positions = {change.position for change in recent[-MAX_READ:]}
    for position in _by_key(wanted):
        positions.add(position)
    newest = sorted(positions, reverse=True)[:MAX_READ]
    events = reading.events_at(newest)
    said = contents(
        (it.position, it.record, it.event.part, it.event.key, it.event.correlation_id,
         it.event.event_id) for it in events
    )  # fmt: skip
    fitting = [
        it
        for it in events
        if it.position > wanted.after
        and it.event.type in wanted.all_types
        and said[it.position].fits(wanted.matches)
    ]
    return whole_events(fitting[-1:])[0] if fitting else None


def _by_key(wanted: Wanted) -> list[int]:
    """Return positions of events of the types in flows that one of the values leads to."""
    if not wanted.matches:
        return []
    nodes = set(Node.objects.filter(type__in=wanted.all_types).values_list("id", flat=True))
    if not nodes:
        return []
    flows: set[int] = set()
    for match in wanted.matches:
        if match.field == "event_id":
            flows.update(it.flow for it in reading.find_events(match.value))
            continue
        if match.field == "correlation_id":
            hit = reading.find_flow(match.value)
            flows.update([hit.id] if hit else [])
            continue
        keys = SearchKey.objects.filter(key_hash=hash64(match.value)).order_by("-flow_id")
        flows.update(keys.values_list("flow_id", flat=True)[:MAX_FLOWS])
    found: list[int] = []
    for flow in sorted(flows)[-MAX_FLOWS:]:
        rows = stored_events.of_flows([flow], limit=MAX_EVENTS, newest=True)
        found += [row.position for row in rows if row.node_id in nodes]
    return found


Line = tuple[int, int, int, str | None, str, str]


def contents(lines: Iterable[Line]) -> dict[int, Content]:
    """Return by position what each event is compared by.

    A line is (position, record, part, key, correlation id, event id). One query by primary key.
    """
    lines = list(lines)
    records = reading.stored_records(line[1] for line in lines)
    found = {}
    for position, record_id, part, key, correlation_id, event_id in lines:
        record = records.get(record_id)
        payloads = reading.decode_stored(record).payloads if record else ()
        payload = payloads[part] if part < len(payloads) else None
        found[position] = content(key, correlation_id, event_id, payload)
    return found


def compared(changes: list[Change]) -> dict[int, Content]:
    """Return by position what these changes are compared by. A few queries by key."""
    rows = stored_events.at([change.position for change in changes])
    records = {row.position: row.record for row in rows}
    return contents(
        (it.position, records[it.position], it.part, it.key, it.correlation_id, it.event_id)
        for it in changes
        if it.position in records
    )


def shown(positions: Iterable[int]) -> dict[int, Json]:
    """Return events as JSON by position."""
    return {event["position"]: event for event in whole_events(reading.events_at(positions))}
