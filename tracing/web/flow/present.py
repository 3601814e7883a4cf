"""A flow as it is shown: the same fragments for the page and for its socket.

Nothing here knows who looks: which event is selected is the address's and the script's matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.template.loader import render_to_string

from tracing.codec.decode import BARE
from tracing.domain.rules import Role
from tracing.drawing.compose import draw
from tracing.drawing.durations import duration
from tracing.drawing.graph import Arrow
from tracing.drawing.outline import outline
from tracing.drawing.sentence import Happening, Sentence, tell
from tracing.drawing.words import clause_of
from tracing.projections import reading
from tracing.projections.message_kinds import kinds_of
from tracing.projections.search import Related, related_flows
from tracing.schemas.unregistered import unregistered
from tracing.web import present
from tracing.web.address import element_id, flow_api_url
from tracing.web.flow import payload
from tracing.web.flow.cards import CardView, card_views, edge_views, spot
from tracing.web.present import Sign
from tracing.web.sagas.linking import SagaLink, links_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracing.projections.flow_deaths import Death
    from tracing.projections.reading import FlowDetail, StoredEvent

JOINED = {
    "correlation": ("joined by correlation id", "All events with this correlation id."),
    "trace": ("joined by trace id", "No correlation id: all events with this W3C trace id."),
    "event": ("stands alone", "The event names neither a correlation id nor a trace."),
}


class OutlineView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list; `up` counts the lists that end behind it."""

    card: CardView
    cause: str
    opens: bool
    up: range


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above the graph.

    `name` is what people look for: the key if there is one, else the type. `tab` is the page's
    title.
    """

    name: str
    type: str
    tab: str
    state: str
    failure: str
    sentence: Sentence
    joined: str
    joined_title: str
    api_url: str
    waited: str
    sagas: list[SagaLink]


def root_of(detail: FlowDetail) -> StoredEvent:
    """Return the flow's first event: one without a cause before all others."""
    return min(
        detail.events, key=lambda item: (item.event.causation_id is not None, item.event.time_us)
    )


def related(detail: FlowDetail, *, now_ms: int) -> list[tuple[Related, Sign]]:
    """Return flows that share a key with this one, with their signs. Four queries by key."""
    found = related_flows(detail.line, root_of(detail).record)
    lines = [one.line for one in found]
    shown = [
        present.display_state(line.state, last_ms=line.last_ms, now_ms=now_ms) for line in lines
    ]
    return [(one, present.STATES[state]) for one, state in zip(found, shown, strict=True)]


def distinct(events: Sequence[StoredEvent]) -> list[StoredEvent]:
    """Return each event id once: of a large flow, copies are listed too."""
    found: dict[str, StoredEvent] = {}
    for item in events:
        found.setdefault(item.event.event_id, item)
    return list(found.values())


def default_event(detail: FlowDetail) -> StoredEvent:
    """Return what is selected when nobody selected anything: the first failure, else the last."""
    dead = detail.dead
    failed = [
        item for item in detail.events if item.event.event_id in dead or item.role & Role.FAILED
    ]
    return failed[0] if failed else detail.events[-1]


def fragment_context(detail: FlowDetail, *, now_ms: int, base: str = "") -> dict[str, Any]:
    """Return what `_flow_head.html`, `_flow_graph.html` and `_flow_outline.html` need.

    `base` is the address of the flow's page where the fragments stand on another one.
    """
    items = distinct(detail.events)
    unknown = unregistered(item.event for item in items)
    spots = [spot(item, unknown) for item in items]
    arrows = [Arrow(link.cause, link.effect, link.latency_us) for link in detail.links]
    drawing = draw(spots, arrows)
    kinds = kinds_of(items)
    cards = card_views(items, drawing, detail.dead, unknown, kinds)
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
        "edges": edge_views(drawing, items, kinds),
        "outline": lines,
        "default_id": element_id("ev", chosen.event.event_id),
        "now_ms": now_ms,
        "base": base,
        "left_at": "",
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
    """Return what stands above the graph. A query by key where a record names no event."""
    line = detail.line
    state = present.display_state(line.state, last_ms=line.last_ms, now_ms=now_ms)
    failed = next((item.event for item in detail.events if item.role & Role.FAILED), None)
    joined, joined_title = JOINED[line.joined_by]
    sentence = _sentence(detail, state)
    since_ms = sentence.since_ms or 0
    began = root_of(detail).event.type
    # A key may be blank.
    name = line.key if line.key and line.key.strip() else began
    short, began_short = present.short_id(name, 40), present.short_id(began, 40)
    tab = f"{short} · eventviz" if name == began else f"{short} · {began_short} · eventviz"
    return Head(
        name=name,
        type=began,
        tab=tab,
        state=state,
        failure="" if failed is None else clause_of(failed.type).bare,
        sentence=sentence,
        joined=joined,
        joined_title=joined_title,
        api_url=flow_api_url(line.correlation_id),
        waited=duration(max(now_ms - since_ms, 0) // 1_000 * 1_000_000),
        sagas=links_of(line.id, now_ms=now_ms),
    )


def given_up(deaths: Iterable[Death]) -> tuple[str, ...]:
    """Return who gave an event up, and why: `inventory gave it up: no shelf for product P`."""
    return tuple(
        f"{death.consumer or 'its consumer'} gave it up"
        + (
            f": {present.reason_words(reason)}"
            if (reason := death.message or death.exception)
            else ""
        )
        for death in deaths
    )


def _sentence(detail: FlowDetail, state: str) -> Sentence:
    content, dead = "", detail.dead
    if state == "plain" and detail.total == 1:
        only = detail.events[0]
        found = reading.stored_record(only.record, only.event.part)
        content = payload.words(found.record) if found else ""
    return tell(
        [
            Happening(
                id=event.event_id,
                type=event.type,
                time_us=event.time_us,
                logged_ms=event.timestamp_ms,
                role=item.role,
                bare=event.dialect == BARE,
                content=content,
                cause=event.causation_id,
                reason=present.reason_words(event.reason) if event.reason else None,
                error=event.error,
                given_up=given_up(dead.get(event.event_id, ())),
            )
            for item in detail.events
            for event in (item.event,)
        ],
        state=state,
        total=detail.total,
        services=len(detail.services),
        duration_us=detail.line.duration_us,
    )
