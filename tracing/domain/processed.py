"""Whether an event was processed, told by its effects: one rule for plans, retries and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracing.domain.event import Event


class Effect(Protocol):
    """An event that names another one as its cause."""

    @property
    def timestamp_ms(self) -> int:
        """Return Kafka's time."""

    @property
    def service(self) -> str:
        """Return who wrote it, '' if nobody says."""


Told = TypeVar("Told", bound=Effect)


class Death(msgspec.Struct, frozen=True):
    """When an event was given up (Kafka's time of its dead letter), and by which consumer."""

    at_ms: int
    consumer: str


def processed(effects: Iterable[Told], death: Death | None) -> list[Told]:
    """Return those of an event's effects that say that it was processed.

    Other services answer an event that one of them gave up, and answer again when it is sent
    again. So of an event that died count what the failing consumer did (its group bears the
    service's name), and what came later from services that had not answered before. Where nobody
    is known to have failed, every effect counts.
    """
    every = list(effects)
    if death is None or not death.consumer:
        return every
    answered = {one.service for one in every if one.timestamp_ms <= death.at_ms}
    return [
        one
        for one in every
        if _bears(death.consumer, one.service)
        or (one.timestamp_ms > death.at_ms and one.service not in answered)
    ]


def _bears(consumer: str, service: str) -> bool:
    return bool(service) and (service in consumer or consumer in service)


def processed_twice(
    events: Iterable[Event], deaths: Mapping[str, Death]
) -> list[tuple[str, list[Event]]]:
    """Return causes that have several effects of one type and service, with these effects.

    Each effect is an event of its own (another id), so somebody handled the cause twice. Of one
    that died (`deaths` by event id), only if any of them says that it was processed.
    """
    by_cause: dict[str, list[Event]] = {}
    for event in events:
        if event.causation_id is not None:
            by_cause.setdefault(event.causation_id, []).append(event)
    found = []
    for cause, effects in by_cause.items():
        told = {event.event_id for event in processed(effects, deaths.get(cause))}
        alike: dict[tuple[str, str], dict[str, Event]] = {}
        for event in effects:
            known = alike.setdefault((event.type, event.service), {})
            known.setdefault(event.event_id, event)
        found += [
            (cause, list(some.values()))
            for some in alike.values()
            if len(some) > 1 and told & some.keys()
        ]
    return found
