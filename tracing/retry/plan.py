"""What a run would do, before anybody says go: counted over the first records that it means."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tracing.projections.reading import head
from tracing.retry import selection as selecting
from tracing.retry.candidates import Judge, Verdict, candidates
from tracing.retry.effects import effects_of

if TYPE_CHECKING:
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
    sent = [one.candidate for one in going]
    done = effects_of(
        [
            (one.record, one.event_id, one.flow)
            for one in sent
            if one.event_id and one.flow is not None
        ]
    )
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
