"""A whole group of dead letters put aside, and taken back: one decision, one entry in the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from tracing.domain.failure import group_key
from tracing.domain.text import clean
from tracing.models import DeadLetter, DeadLetterGroup, Discard, RetryItem
from tracing.retry import audit
from tracing.retry.candidates import place_of
from tracing.retry.letters import tally

if TYPE_CHECKING:
    from django.db.models import QuerySet

# So many are put aside at once: it is one transaction, and the ingestor waits for it.
MAX_GROUP = 20_000
# Recovered, on its way, or dead again as a newer letter, which stands for it.
_DEALT_WITH = ("pending", "sending", "sent", "processed", "failed_again")
_BATCH = 1_000


def open_letters(group_id: int, *, until: int) -> QuerySet[DeadLetter]:
    """Return those of a group up to a position that nobody has dealt with, oldest first.

    At most `MAX_GROUP`: the oldest.
    """
    aside = Discard.objects.filter(record=OuterRef("record"), restored_at=None)
    retried = RetryItem.objects.filter(record=OuterRef("record"), state__in=_DEALT_WITH)
    letters = DeadLetter.objects.filter(group_id=group_id, position__lte=until)
    return letters.exclude(Exists(aside) | Exists(retried)).order_by("timestamp_ms", "record")[
        :MAX_GROUP
    ]


def discard_group(group_id: int, *, until: int, by: str, reason: str) -> int:
    """Put a group's open dead letters up to a position aside, with a reason; return how many.

    Raises DeadLetterGroup.DoesNotExist.
    """
    now = timezone.now()
    with transaction.atomic():
        group = DeadLetterGroup.objects.get(id=group_id)
        records = list(open_letters(group_id, until=until).values_list("record", flat=True))
        if not records:
            return 0
        Discard.objects.bulk_create(
            (
                Discard(
                    record=record,
                    coordinates=place_of(record),
                    group_id=group_id,
                    reason=clean(reason, 500),
                    made_by=by,
                    made_at=now,
                )
                for record in records
            ),
            batch_size=_BATCH,
            # Somebody else may have put one of them aside this very moment.
            ignore_conflicts=True,
        )
        tally([group_id])
        _write(group, what="discard", who=by, why=reason, count=len(records))
    return len(records)


def restore_group(group_id: int, *, by: str) -> int:
    """Take back all of a group that was put aside; return how many. Raises as `discard_group`."""
    with transaction.atomic():
        group = DeadLetterGroup.objects.get(id=group_id)
        rows = Discard.objects.filter(group_id=group_id, restored_at=None)
        count = rows.update(restored_by=by, restored_at=timezone.now())
        if count:
            tally([group_id])
            _write(group, what="restore", who=by, why="", count=count)
    return count


def _write(group: DeadLetterGroup, *, what: str, who: str, why: str, count: int) -> None:
    audit.write(
        who=who,
        what=what,
        target=f"{count:,} of {group.exception or 'dead letters'} of {group.source_topic}",
        url=f"/dead-letters/{group_key(group.id)}",
        why=why,
        outcome={"messages": count},
    )
