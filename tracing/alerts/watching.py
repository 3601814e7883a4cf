"""From groups of dead letters to alerts: each cause is stored once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from tracing.alerts.keeping import Saying, keep
from tracing.alerts.rules import HOUR_MS, GroupState, Limits, alerts_of
from tracing.domain.failure import group_key
from tracing.models import (
    DeadLetter,
    DeadLetterGroup,
    DeadLetterHour,
    GroupDecision,
    RetryTally,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# The groups that failed last; one that was quiet for longer was looked at before.
LOOKED = 300


def watch(now_ms: int) -> int:
    """Store what is new to say; return how many alerts. A bounded number of look-ups by key."""
    limits = Limits(settings.EVENTVIZ_ALERT_RATE, settings.EVENTVIZ_ALERT_AGE_H * HOUR_MS)
    groups = list(DeadLetterGroup.objects.order_by("-last_ms", "-id")[:LOOKED])
    found = [
        (state, said)
        for state in _states(groups, now_ms)
        for said in alerts_of(state, limits, now_ms=now_ms)
    ]
    return keep(
        Saying(
            kind=said.kind,
            subject=str(state.id),
            cause=said.cause,
            title=said.title,
            text=said.text,
            url=f"/dead-letters/{state.key}",
        )
        for state, said in found
    )


def _states(groups: Sequence[DeadLetterGroup], now_ms: int) -> list[GroupState]:
    ids = [group.id for group in groups]
    decisions = {row.group_id: row for row in GroupDecision.objects.filter(group_id__in=ids)}
    tallies = {row.group_id: row for row in RetryTally.objects.filter(group_id__in=ids)}
    hours = DeadLetterHour.objects.filter(group_id__in=ids, hour=now_ms // HOUR_MS)
    recent = dict(hours.values_list("group_id", "n"))
    return [
        _state(group, decisions.get(group.id), tallies.get(group.id), recent.get(group.id, 0))
        for group in groups
    ]


def _state(
    group: DeadLetterGroup, decision: GroupDecision | None, tally: RetryTally | None, recent: int
) -> GroupState:
    done = tally.done if tally else 0
    name = ": ".join(part for part in (group.exception.rpartition(".")[2], group.message) if part)
    where = ", ".join(part for part in (group.source_topic, group.consumer) if part)
    state = decision.state if decision else ""
    newest = None
    if not state:
        letters = DeadLetter.objects.filter(group_id=group.id).order_by("-timestamp_ms", "-record")
        newest = letters.values_list("attempts", flat=True).first()
    return GroupState(
        id=group.id,
        key=group_key(group.id),
        name=name or f"dead letters of {group.source_topic}",
        where=where,
        consumer=group.consumer[:60],
        state=state,
        open=max(group.count - done, 0),
        attempts=newest,
        first_ms=group.first_ms,
        last_ms=group.last_ms,
        last_ms_then=decision.last_ms_then if decision else 0,
        in_this_hour=recent,
    )
