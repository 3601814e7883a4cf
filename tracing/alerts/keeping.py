"""Keep what is new to say: each cause once, muted subjects untold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.conf import settings
from django.utils import timezone

from tracing.models import Alert, AlertMute

if TYPE_CHECKING:
    from collections.abc import Iterable


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """An alert on its way into the table; see `models.Alert`."""

    kind: str
    subject: str
    cause: str
    title: str
    text: str
    url: str


def unsaid(causes: Iterable[str]) -> set[str]:
    """Return the causes that were not told before. One look-up by key."""
    wanted = set(causes)
    return wanted - set(Alert.objects.filter(cause__in=wanted).values_list("cause", flat=True))


def keep(found: Iterable[Saying]) -> int:
    """Store what was not said before; return how many alerts. Two look-ups by key."""
    sayings = list(found)
    new = unsaid(one.cause for one in sayings)
    subjects = {one.subject for one in sayings}
    muted = set(AlertMute.objects.filter(subject__in=subjects).values_list("subject", flat=True))
    now = timezone.now()
    rows = [
        Alert(
            kind=one.kind,
            subject=one.subject,
            cause=one.cause,
            title=one.title[:200],
            text=one.text,
            url=one.url,
            at=now,
            muted=one.subject in muted,
            deliver_at=now if settings.EVENTVIZ_ALERT_URLS and one.subject not in muted else None,
        )
        for one in sayings
        if one.cause in new
    ]
    # Two workers that see the same cause at once store it once.
    Alert.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
