"""What a run would do, before anybody says go: counted over the first records that it means."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec

from tracing.models import DeadLetter, DeadLetterGroup, Event
from tracing.models.source import coordinates_of
from tracing.projections.names import names
from tracing.projections.reading import head
from tracing.retry import selection as selecting
from tracing.retry.candidates import CHUNK, Judge, Verdict, candidates
from tracing.retry.special import is_special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.retry.selection import Selection

# So many records are looked at; a larger run is counted no further.
LOOKED = 1_000


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan over the first `looked` records; with `more`, there are others behind them.

    `targets` counts what goes where. `processed` of those had effects already: sent again, they
    are done twice unless the consumer knows better. `reasons` counts what is left out and why.
    """

    verdicts: tuple[Verdict, ...]
    processed: frozenset[int]
    targets: dict[str, int]
    reasons: dict[str, int]
    loops: int
    missing: int
    looked: int
    more: bool

    @property
    def sendable(self) -> int:
        """Return how many of those looked at go out."""
        return sum(self.targets.values())


def plan(wanted: Selection, *, kind: str, target: str) -> Plan:
    """Return what a run would do. A bounded number of look-ups by key, no values are read."""
    found, cursor = selecting.page(wanted, None, until=head().position, limit=LOOKED)
    verdicts = Judge(kind=kind, wanted=target).verdicts(candidates(found))
    going = [one for one in verdicts if not one.skipped]
    done = with_effects(going)
    return Plan(
        verdicts=tuple(verdicts),
        processed=frozenset(done),
        targets=dict(Counter(one.target.topic for one in going).most_common()),
        reasons=dict(Counter(one.skipped for one in verdicts if one.skipped).most_common()),
        loops=sum(one.loops for one in verdicts),
        missing=sum(one.missing for one in verdicts),
        looked=len(verdicts),
        more=cursor is not None,
    )


def with_effects(verdicts: Sequence[Verdict]) -> set[int]:
    """Return the records whose events have an effect on an ordinary topic already.

    Other services answer an event that one of them failed at: of a dead letter, only what the
    failing consumer did counts, and what came after it was given up. Four queries a `CHUNK`.
    """
    found: set[int] = set()
    for start in range(0, len(verdicts), CHUNK):
        part = [one.candidate for one in verdicts[start : start + CHUNK] if one.candidate.event_id]
        rows = Event.objects.filter(
            flow_id__in={one.flow for one in part if one.flow is not None},
            causation_id__in={one.event_id for one in part},
        ).values_list("causation_id", "record", "timestamp_ms", "node__service")
        effects: dict[str | None, list[tuple[int, str]]] = defaultdict(list)
        for cause, record, at_ms, service in rows:
            if not is_special(names().place(coordinates_of(record)[0])[0]):
                effects[cause].append((at_ms, service))
        given_up = _given_up([one.record for one in part])
        found.update(
            one.record
            for one in part
            if any(_counts(effect, given_up.get(one.record)) for effect in effects[one.event_id])
        )
    return found


def _given_up(records: Sequence[int]) -> dict[int, tuple[int, str]]:
    """Return when each dead letter was given up, and by which consumer ('' if nobody says)."""
    rows = list(
        DeadLetter.objects.filter(record__in=records).values_list(
            "record", "timestamp_ms", "group_id"
        )
    )
    groups = DeadLetterGroup.objects.filter(id__in={group for _, _, group in rows})
    consumers = dict(groups.values_list("id", "consumer"))
    return {record: (at_ms, consumers.get(group) or "") for record, at_ms, group in rows}


def _counts(effect: tuple[int, str], given_up: tuple[int, str] | None) -> bool:
    """Tell whether an effect says that the event was processed; consumer groups bear services."""
    if given_up is None or not given_up[1]:
        return True
    (at_ms, service), (died_ms, consumer) = effect, given_up
    return at_ms > died_ms or (bool(service) and (service in consumer or consumer in service))
