"""What people decide on groups of dead letters: kept under the fingerprint, and in the audit."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from tracing.domain.errors import EventvizError
from tracing.domain.failure import group_key, short_name
from tracing.domain.text import clean
from tracing.models import DeadLetterGroup, GroupDecision
from tracing.retry import audit

MAX_NOTE = 2_000
STATES = ("new", *GroupDecision.State.values)


class BadDecisionError(EventvizError):
    """A group is new, acknowledged, resolved or ignored."""


def decide(group_id: int, *, by: str, state: str, owner: str = "", note: str = "") -> None:
    """Keep a decision on a group that is there. `new` takes the state back, not owner and note.

    Raises BadDecisionError for an unknown state, DeadLetterGroup.DoesNotExist.
    """
    if state not in STATES:
        raise BadDecisionError(f"Not {state[:40]!r}.")
    with transaction.atomic():
        group = DeadLetterGroup.objects.get(id=group_id)
        before = GroupDecision.objects.filter(group_id=group_id).first()
        GroupDecision.objects.update_or_create(
            group_id=group_id,
            defaults={
                "fingerprint": group.fingerprint,
                "state": "" if state == "new" else state,
                "owner": clean(owner.strip(), 150),
                "note": clean(note.strip(), MAX_NOTE),
                "decided_by": by,
                "decided_at": timezone.now(),
                "last_ms_then": group.last_ms,
            },
        )
        audit.write(
            who=by,
            what=state,
            target=f"{short_name(group.exception) or 'dead letters'} of {group.source_topic}",
            url=f"/dead-letters/{group_key(group_id)}",
            why=note,
            outcome={
                "state": state,
                "before": before.state if before else "",
                "owner": owner[:150],
            },
        )
