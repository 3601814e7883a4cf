"""What a run would do, before anybody says go: counted over the first records that it means."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tracing.models import Event
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
    """Return the records whose events have an effect on an ordinary topic already."""
    found: set[int] = set()
    for start in range(0, len(verdicts), CHUNK):
        part = [one.candidate for one in verdicts[start : start + CHUNK] if one.candidate.event_id]
        rows = Event.objects.filter(
            flow_id__in={one.flow for one in part if one.flow is not None},
            causation_id__in={one.event_id for one in part},
        ).values_list("causation_id", "record")
        causes = {
            cause
            for cause, record in rows
            if not is_special(names().place(coordinates_of(record)[0])[0])
        }
        found.update(one.record for one in part if one.event_id in causes)
    return found
