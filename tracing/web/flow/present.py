"""A flow as it is shown: the same fragments for the page and for its socket.

Nothing here knows who looks: which event is selected is the address's and the script's matter.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from django.template.loader import render_to_string

from tracing.domain import marks
from tracing.domain.marks import Mark
from tracing.domain.rules import Role, role
from tracing.drawing.compose import draw
from tracing.drawing.durations import duration
from tracing.drawing.graph import Arrow, Card, Drawing, Edge, Spot
from tracing.drawing.outline import outline
from tracing.drawing.sentence import Happening, Sentence, tell
from tracing.drawing.words import clause_of
from tracing.projections.search import related_flows
from tracing.web import present
from tracing.web.address import element_id, flow_api_url
from tracing.web.present import Service, Sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.domain.event import Event
    from tracing.projections.reading import FlowDetail, FlowLine, StoredEvent

# How an event looks; the legend is made from the same table.
LOOKS: dict[str, Sign] = {
    sign.slug: sign
    for sign in (
        Sign("happened", "●", "happened", "ok", "something happened"),
        Sign("failed", "✕", "failed", "fail", "the event says that something failed"),
        Sign("compensates", "↩", "compensates", "back", "an earlier step was taken back"),
        Sign("undecodable", "?", "undecodable", "late", "the record could not be read"),
    )
}
JOINED = {
    "correlation": ("joined by correlation id", "All events with this correlation id."),
    "trace": ("joined by trace id", "No correlation id: all events with this W3C trace id."),
    "event": ("stands alone", "The event names neither a correlation id nor a trace."),
}


class CardView(msgspec.Struct, frozen=True, kw_only=True):
    """A card with what its event is. `version` differs when the inspector would differ."""

    id: str
    event: Event
    card: Card
    look: Sign
    service: Service
    label: str
    causes: str
    edges: str
    version: str


class EdgeView(msgspec.Struct, frozen=True):
    """An edge, its element id, and whether it leads to the first failure."""

    id: str
    edge: Edge
    guilty: bool


class OutlineView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list; `up` counts the lists that end behind it."""

    card: CardView
    cause: str
    opens: bool
    up: range


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above the graph."""

    title: str
    state: str
    failure: str
    sentence: Sentence
    joined: str
    joined_title: str
    api_url: str
    waited: str


def look_of(event: Event) -> Sign:
    """Return how an event looks."""
    if event.error is not None:
        return LOOKS["undecodable"]
    found = role(event.type)
    if found & Role.FAILED:
        return LOOKS["failed"]
    return LOOKS["compensates" if found & Role.COMPENSATION else "happened"]


def mark_words(item: StoredEvent) -> tuple[str, ...]:
    """Return an event's marks as short texts; a duplicate says how many records there are.

    That an event is undecodable is its look, that its flow is large is the flow's matter.
    """
    words = []
    for mark in (Mark.DUPLICATE, Mark.OUT_OF_ORDER, Mark.MISSING_CAUSE):
        if not item.marks & mark:
            continue
        copies = len(item.redeliveries) + 1
        counted = mark is Mark.DUPLICATE and copies > 1
        words.append(
            f"{marks.LABELS[mark]} \N{MULTIPLICATION SIGN}{copies}"
            if counted
            else marks.LABELS[mark]
        )
    return tuple(words)


def root_of(detail: FlowDetail) -> StoredEvent:
    """Return the flow's first event: one without a cause before all others."""
    return min(
        detail.events, key=lambda item: (item.event.causation_id is not None, item.event.time_us)
    )


def related(detail: FlowDetail, *, now_ms: int) -> list[tuple[FlowLine, Sign]]:
    """Return flows that share a key with this one, with their signs. Four queries by key."""
    lines = related_flows(detail.line, root_of(detail).record)
    shown = [
        present.display_state(line.state, last_ms=line.last_ms, now_ms=now_ms) for line in lines
    ]
    return [(line, present.STATES[state]) for line, state in zip(lines, shown, strict=True)]


def version_of(item: StoredEvent, *, led: int, caused: int) -> str:
    """Return a text that differs when the inspector of the event would."""
    return f"{led}.{caused}.{item.marks}.{len(item.redeliveries)}"


def distinct(events: Sequence[StoredEvent]) -> list[StoredEvent]:
    """Return each event id once: of a large flow, copies are listed too."""
    found: dict[str, StoredEvent] = {}
    for item in events:
        found.setdefault(item.event.event_id, item)
    return list(found.values())


def default_event(detail: FlowDetail) -> StoredEvent:
    """Return what is selected when nobody selected anything: the first failure, else the last."""
    failed = [item for item in detail.events if role(item.event.type) & Role.FAILED]
    return failed[0] if failed else detail.events[-1]


def fragment_context(detail: FlowDetail, *, now_ms: int, base: str = "") -> dict[str, Any]:
    """Return what `_flow_head.html`, `_flow_graph.html` and `_flow_outline.html` need.

    `base` is the address of the flow's page where the fragments stand on another one.
    """
    items = distinct(detail.events)
    spots = [_spot(item) for item in items]
    arrows = [Arrow(link.cause, link.effect, link.latency_us) for link in detail.links]
    drawing = draw(spots, arrows)
    cards = _cards(items, drawing)
    chosen = default_event(detail)
    lines = [
        OutlineView(
            card=cards[line.spot],
            cause="" if line.cause is None else items[line.cause].event.type,
            opens=line.opens,
            up=range(line.closes),
        )
        for line in outline(spots, arrows)
    ]
    return {
        "detail": detail,
        "line": detail.line,
        "head": head(detail, now_ms=now_ms),
        "drawing": drawing,
        "cards": cards,
        "edges": _edges(drawing, _causes_of_failure(items)),
        "outline": lines,
        "default_id": element_id("ev", chosen.event.event_id),
        "now_ms": now_ms,
        "base": base,
    }


def flow_fragments(detail: FlowDetail, *, now_ms: int) -> str:
    """Return head, graph and list as fragments for the socket, each with `hx-swap-oob`."""
    context = fragment_context(detail, now_ms=now_ms)
    return render_to_string("tracing/partials/_flow_live.html", context)


def head_fragment(detail: FlowDetail, *, now_ms: int) -> str:
    """Return the head alone: a running flow grows quiet without any event."""
    context = {
        "detail": detail,
        "line": detail.line,
        "head": head(detail, now_ms=now_ms),
        "now_ms": now_ms,
        "oob": True,
    }
    return render_to_string("tracing/partials/_flow_head.html", context)


def head(detail: FlowDetail, *, now_ms: int) -> Head:
    """Return what stands above the graph."""
    line = detail.line
    state = present.display_state(line.state, last_ms=line.last_ms, now_ms=now_ms)
    events = [item.event for item in detail.events]
    failed = next((event for event in events if role(event.type) & Role.FAILED), None)
    joined, joined_title = JOINED[line.joined_by]
    sentence = _sentence(detail, events, state)
    since_us = sentence.since_us or 0
    return Head(
        title=root_of(detail).event.type,
        state=state,
        failure="" if failed is None else clause_of(failed.type).bare,
        sentence=sentence,
        joined=joined,
        joined_title=joined_title,
        api_url=flow_api_url(line.correlation_id),
        waited=duration(max(now_ms * 1_000 - since_us, 0) // 1_000_000 * 1_000_000),
    )


def _sentence(detail: FlowDetail, events: Sequence[Event], state: str) -> Sentence:
    return tell(
        [
            Happening(
                id=event.event_id,
                type=event.type,
                time_us=event.time_us,
                cause=event.causation_id,
                reason=present.reason_words(event.reason) if event.reason else None,
                error=event.error,
            )
            for event in events
        ],
        state=state,
        total=detail.total,
        services=len(detail.services),
        duration_us=detail.line.duration_us,
    )


def _spot(item: StoredEvent) -> Spot:
    event = item.event
    return Spot(
        id=event.event_id,
        type=event.type,
        service=event.service or "no service",
        time_us=event.time_us,
        marks=mark_words(item),
        compensates=look_of(event).slug == "compensates",
    )


def _cards(items: Sequence[StoredEvent], drawing: Drawing) -> list[CardView]:
    led = Counter(cause for card in drawing.cards for cause in card.causes)
    views = []
    for item, card in zip(items, drawing.cards, strict=True):
        event, look = item.event, look_of(item.event)
        label = [event.type, event.service or "no service", card.time, look.word]
        views.append(
            CardView(
                id=element_id("ev", event.event_id),
                event=event,
                card=card,
                look=look,
                service=present.service_of(event.service),
                label=", ".join([*label, *mark_words(item)]),
                causes=" ".join(element_id("ev", cause) for cause in card.causes),
                edges=" ".join(f"edge-{number}" for number in card.edges),
                version=version_of(item, led=led[event.event_id], caused=len(card.causes)),
            )
        )
    return views


def _causes_of_failure(items: Sequence[StoredEvent]) -> set[str]:
    """Return the first failed event's id and those of all its causes."""
    failed = [item.event for item in items if role(item.event.type) & Role.FAILED]
    cause_of = {item.event.event_id: item.event.causation_id for item in items}
    guilty: set[str] = set()
    place = failed[0].event_id if failed else None
    while place is not None and place not in guilty and place in cause_of:
        guilty.add(place)
        place = cause_of[place]
    return guilty


def _edges(drawing: Drawing, guilty: set[str]) -> list[EdgeView]:
    return [
        EdgeView(f"edge-{number}", edge, edge.effect in guilty and edge.cause in guilty)
        for number, edge in enumerate(drawing.edges)
    ]
