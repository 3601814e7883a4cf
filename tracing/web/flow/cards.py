"""Cards and edges as the template draws them: places from the drawing, looks from the event."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tracing.domain import marks
from tracing.domain.event import Event
from tracing.domain.identity import UNTYPED
from tracing.domain.marks import Mark
from tracing.domain.rules import Role
from tracing.domain.saga.kinds import Kind
from tracing.drawing.graph import Card, Drawing, Edge, Spot
from tracing.schemas.unregistered import named
from tracing.web import present
from tracing.web.address import element_id
from tracing.web.present import Service, Sign, signs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tracing.projections.reading import StoredEvent
    from tracing.schemas.unregistered import Named

# How an event looks; the legend is made from the same table.
LOOKS = signs(
    Sign("happened", "●", "happened", "ok", "something happened"),
    Sign("command", "►", "command", "ask", "somebody is asked to do it: a thick line"),
    Sign("reply", "◄", "reply", "ok", "answers a command: a dashed line"),
    Sign("failed", "✕", "failed", "fail", "the event says that something failed"),
    Sign("dead", "⊗", "dead letter", "fail", "a consumer gave the event up"),
    Sign("compensates", "↩", "compensates", "back", "an earlier step was taken back"),
    Sign("plain", "·", "no type", "ghost", "the record names no event"),
    Sign("undecodable", "?", "undecodable", "late", "the record could not be read"),
)


_KINDS = {Kind.COMMAND: "command", Kind.REPLY: "reply"}


class CardView(msgspec.Struct, frozen=True, kw_only=True):
    """A card with what its event is. `version` differs when the inspector would differ.

    `kind` is `command`, `reply`, or empty for an event.
    """

    id: str
    event: Event
    card: Card
    look: Sign
    kind: str
    service: Service
    label: str
    causes: str
    edges: str
    version: str


class EdgeView(msgspec.Struct, frozen=True):
    """An edge, its element id, whether it leads to the first failure, and to what kind."""

    id: str
    edge: Edge
    guilty: bool
    kind: str


def look_of(item: StoredEvent, *, dead: bool = False, kind: Kind = Kind.EVENT) -> Sign:
    """Return how an event looks; `dead` when it has a dead letter that is open."""
    event, role = item.event, item.role
    if dead:
        return LOOKS["dead"]
    if event.error is not None:
        return LOOKS["undecodable"]
    if event.type == UNTYPED:
        return LOOKS["plain"]
    if role & Role.FAILED:
        return LOOKS["failed"]
    if role & Role.COMPENSATION:
        return LOOKS["compensates"]
    return LOOKS[_KINDS.get(kind, "happened")]


def mark_words(item: StoredEvent, unknown: Collection[Named] = ()) -> tuple[str, ...]:
    """Return an event's marks as short texts; a duplicate says how many records there are.

    That an event is undecodable is its look, that its flow is large is the flow's matter.
    `unknown` are the versions that nobody registered.
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
    if named(item.event) in unknown:
        words.append("unknown version")
    return tuple(words)


def version_of(item: StoredEvent, *, led: int, caused: int, dead: bool) -> str:
    """Return a text that differs when the inspector of the event would."""
    copies = len(item.redeliveries) + len(item.attempts)
    return f"{led}.{caused}.{item.marks}.{copies}{'.dead' if dead else ''}"


def spot(item: StoredEvent, unknown: Collection[Named] = ()) -> Spot:
    """Return an event as the drawing needs it."""
    event = item.event
    return Spot(
        id=event.event_id,
        type=event.type,
        service=event.service or "no service",
        time_us=event.time_us,
        marks=mark_words(item, unknown),
        compensates=look_of(item).slug == "compensates",
    )


def card_views(
    items: Sequence[StoredEvent],
    drawing: Drawing,
    dead: Collection[str],
    unknown: Collection[Named],
    kinds: Mapping[str, Kind],
) -> list[CardView]:
    """Return the drawn cards with their events, in the order of the events.

    `dead` are ids, `kinds` has commands and replies by id.
    """
    led = Counter(cause for card in drawing.cards for cause in card.causes)
    views = []
    for item, card in zip(items, drawing.cards, strict=True):
        event, gone = item.event, item.event.event_id in dead
        kind = kinds.get(event.event_id, Kind.EVENT)
        look = look_of(item, dead=gone, kind=kind)
        label = [event.type, event.service or "no service", card.time, look.word]
        label += [kind.value] if kind in _KINDS and look.slug != kind.value else []
        views.append(
            CardView(
                id=element_id("ev", event.event_id),
                event=event,
                card=card,
                look=look,
                kind=_KINDS.get(kind, ""),
                service=present.service_of(event.service),
                label=", ".join([*label, *mark_words(item, unknown)]),
                causes=" ".join(element_id("ev", cause) for cause in card.causes),
                edges=" ".join(f"edge-{number}" for number in card.edges),
                version=version_of(
                    item, led=led[event.event_id], caused=len(card.causes), dead=gone
                ),
            )
        )
    return views


def _causes_of_failure(items: Sequence[StoredEvent]) -> set[str]:
    """Return the first failed event's id and those of all its causes."""
    failed = [item.event for item in items if item.role & Role.FAILED]
    cause_of = {item.event.event_id: item.event.causation_id for item in items}
    guilty: set[str] = set()
    place = failed[0].event_id if failed else None
    while place is not None and place not in guilty and place in cause_of:
        guilty.add(place)
        place = cause_of[place]
    return guilty


def edge_views(
    drawing: Drawing, items: Sequence[StoredEvent], kinds: Mapping[str, Kind]
) -> list[EdgeView]:
    """Return the drawn edges; those that lead to the first failure are marked."""
    guilty = _causes_of_failure(items)
    return [
        EdgeView(
            f"edge-{number}",
            edge,
            edge.effect in guilty and edge.cause in guilty,
            _KINDS.get(kinds.get(edge.effect or "", Kind.EVENT), ""),
        )
        for number, edge in enumerate(drawing.edges)
    ]
