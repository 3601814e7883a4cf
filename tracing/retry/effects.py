"""What became of events that are, or were, sent again: the effects that say they were processed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.processed import Death, processed
from tracing.domain.text import digest16
from tracing.models import DeadLetter, DeadLetterGroup
from tracing.models.source import coordinates_of
from tracing.projections import events
from tracing.projections.names import names
from tracing.projections.plain_sql import among
from tracing.retry.special import is_special

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_CHUNK = 500


class Effect(msgspec.Struct, frozen=True):
    """An effect on an ordinary topic, and the event that it names as its cause."""

    event_id: str
    cause: str
    position: int
    timestamp_ms: int
    service: str


def effects_of(sent: Sequence[tuple[int, str, int]]) -> dict[int, list[Effect]]:
    """Return the effects that count of (record, event id, flow), by record.

    A few queries by key a chunk. A record that was sent under another event id may be named twice,
    under each of its ids: who answered the one had answered. Records without any effect are left
    out.
    """
    found: dict[int, list[Effect]] = defaultdict(list)
    died: dict[int, Death] = {}
    for start in range(0, len(sent), _CHUNK):
        part = sent[start : start + _CHUNK]
        effects = _effects(part)
        died |= deaths(record for record, _, _ in part)
        for record, event_id, _ in part:
            found[record] += effects.get(event_id, ())
    counted = {record: processed(some, died.get(record)) for record, some in found.items()}
    return {record: some for record, some in counted.items() if some}


def _effects(part: Collection[tuple[int, str, int]]) -> dict[str, list[Effect]]:
    causes = {event_id for _, event_id, _ in part}
    digests = {digest16(cause) for cause in causes}
    rows = events.of_flows(
        {flow for _, _, flow in part},
        among("e.causation_id", causes),
        causes,
        fits=lambda fact: fact.cause in digests,
    )
    names().pairs(row.node_id for row in rows)
    effects: dict[str, list[Effect]] = defaultdict(list)
    for row in rows:
        cause = row.causation_id
        if not cause or cause not in causes:
            continue
        if not is_special(names().place(coordinates_of(row.record)[0])[0]):
            service = names().pair(row.node_id)[1]
            effects[cause].append(
                Effect(row.event_id, cause, row.position, row.timestamp_ms, service)
            )
    return effects


def deaths(records: Iterable[int]) -> dict[int, Death]:
    """Return when, and by which consumer, the dead letters among these records were given up."""
    letters = DeadLetter.objects.filter(record__in=list(records))
    rows = list(letters.values_list("record", "timestamp_ms", "group_id"))
    groups = DeadLetterGroup.objects.filter(id__in={group for _, _, group in rows})
    consumers = dict(groups.values_list("id", "consumer"))
    return {record: Death(at_ms, consumers.get(group) or "") for record, at_ms, group in rows}
