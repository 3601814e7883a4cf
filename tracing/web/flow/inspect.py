"""One event as the inspector shows it: its envelope, its record, its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.domain.event import Event
from tracing.domain.failure import group_key
from tracing.domain.saga.kinds import Kind
from tracing.domain.text import hash64
from tracing.drawing.durations import duration, offset
from tracing.projections import reading
from tracing.projections.dead_message_reading import groups_of_events
from tracing.projections.message_kinds import kinds_of
from tracing.web import present
from tracing.web.address import event_api_url, flow_url
from tracing.web.flow import payload
from tracing.web.flow.cards import look_of, mark_words, version_of
from tracing.web.flow.fit import Fit, fit_of
from tracing.web.present import TIERS, Sign

if TYPE_CHECKING:
    from tracing.projections.reading import FlowDetail, StoredEvent

# More effects than this are counted, not listed.
MAX_EFFECTS = 12


class Neighbour(msgspec.Struct, frozen=True):
    """A cause or an effect: what it is called, its address, and how far away in time."""

    label: str
    url: str
    delay: str
    event_id: str = ""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What caused an event: a neighbour here or in another flow, or an id nobody has seen."""

    id: str
    here: Neighbour | None = None
    elsewhere: str = ""


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """All that is shown of one event. `version` is that of its card, for `flow.js`."""

    item: reading.StoredEvent
    event: Event
    look: Sign
    marks: tuple[str, ...]
    iso: str
    clock: str
    offset: str
    own_time: str
    time_ms: int
    cause: Cause | None
    effects: list[Neighbour]
    more_effects: int
    headers: list[payload.HeaderLine]
    more_headers: int
    payload: payload.Shown | None
    stored: bool
    truncated: bool
    format: str
    schema: str
    api_url: str
    attempts: list[tuple[str, Sign]]
    dead_letter: str
    fit: Fit
    version: str


def inspect(detail: FlowDetail, item: StoredEvent) -> Inspected:
    """Return an event with its record and neighbours. Some queries by key."""
    event = item.event
    dead = event.event_id in detail.dead
    record = reading.stored_record(item.record, event.part)
    shown, fit = None, Fit()
    if record is not None:
        undecodable = event.error is not None or record.payload is None
        fit = fit_of(event, record)
        raw = record.payload
        shown = payload.preview(record.record) if undecodable else payload.payload(raw, fit.steps)
    lines, more_headers = payload.headers(record.record.headers if record else ())
    effects = [link for link in detail.links if link.cause == event.event_id]
    first = min(other.event.time_us for other in detail.events)
    time_ms = event.time_us // 1_000
    return Inspected(
        item=item,
        event=event,
        look=look_of(item, dead=dead, kind=kinds_of([item]).get(event.event_id, Kind.EVENT)),
        marks=mark_words(item),
        iso=present.iso(time_ms),
        clock=present.clock(time_ms),
        offset=offset(event.time_us - first),
        own_time=_own_time(event),
        time_ms=time_ms,
        cause=_cause(detail, event),
        effects=[
            _neighbour(detail, link.effect, f"{duration(link.latency_us)} later")
            for link in effects[:MAX_EFFECTS]
        ],
        more_effects=max(len(effects) - MAX_EFFECTS, 0),
        headers=lines,
        more_headers=more_headers,
        payload=shown,
        stored=record is not None,
        truncated=record is not None and record.record.truncated,
        format=record.format if record else "",
        schema=record.schema if record else "",
        api_url=event_api_url(event.event_id),
        attempts=[(place, TIERS[tier]) for place, tier in item.attempts],
        dead_letter=_dead_letter(event.event_id),
        fit=fit,
        version=version_of(
            item,
            led=len(effects),
            caused=sum(link.effect == event.event_id for link in detail.links),
            dead=dead,
        ),
    )


def find(detail: FlowDetail, event_id: str) -> StoredEvent | None:
    """Return a flow's event, also one of a large flow that is not drawn. One query at most."""
    for item in detail.events:
        if item.event.event_id == event_id:
            return item
    if detail.shown == detail.total:
        return None
    return next(
        (item for item in reading.find_events(event_id) if item.flow == detail.line.id), None
    )


def _dead_letter(event_id: str) -> str:
    """Return the page of the event's newest dead letter, '' when it has none."""
    found = groups_of_events([hash64(event_id)]).get(event_id)
    return f"/dead-letters/{group_key(found[0])}/{found[1]}" if found else ""


def _cause(detail: FlowDetail, event: Event) -> Cause | None:
    cause_id = event.causation_id
    if cause_id is None:
        return None
    for link in detail.links:
        if link.effect == event.event_id and link.cause == cause_id:
            delay = f"{duration(link.latency_us)} before"
            return Cause(id=cause_id, here=_neighbour(detail, cause_id, delay))
    elsewhere = detail.outside.get(cause_id)
    return Cause(id=cause_id, elsewhere=flow_url(elsewhere, cause_id) if elsewhere else "")


def _neighbour(detail: FlowDetail, event_id: str, delay: str) -> Neighbour:
    label = next(
        (other.event.type for other in detail.events if other.event.event_id == event_id), event_id
    )
    return Neighbour(label, flow_url(detail.line.correlation_id, event_id), delay, event_id)


def _own_time(event: Event) -> str:
    """Return how Kafka's clock stands to the producer's: `28 ms after the event's own`."""
    if event.occurred_us is None:
        return "the event names none"
    apart = event.timestamp_ms - event.occurred_us // 1_000
    if not apart:
        return "as the event says"
    return f"{duration(abs(apart) * 1_000)} {'after' if apart > 0 else 'before'} the event's own"
