"""The lease of a step: several processes never do it at once, nor more often than one would."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db.models import Q

from tracing.models import Lease

if TYPE_CHECKING:
    from tracing.jobs.step import Step

MAX_ERROR = 500


def take(step: Step, holder: str, now: dt.datetime) -> bool:
    """Take the lease of a step that is due and that nobody else holds. One statement or two.

    Compare and set: of several that try, the database lets one through. What the holder itself
    still has is of a run that broke off.
    """
    until = now + dt.timedelta(seconds=step.lease_s)
    free = Lease.objects.filter(
        Q(until__lte=now) | Q(holder=holder), step=step.name, due_at__lte=now
    )
    if free.update(holder=holder, until=until):
        return True
    # Looked at before it is written: a row that is there costs no writer's turn.
    if Lease.objects.filter(step=step.name).exists():
        return False
    Lease.objects.bulk_create([Lease(step=step.name, until=now, due_at=now)], ignore_conflicts=True)
    return free.update(holder=holder, until=until) > 0


def give_back(
    step: Step, holder: str, now: dt.datetime, *, rest_s: float, error: str = "", failures: int = 0
) -> None:
    """End the lease and say when the step is due again; nothing if another one took it since."""
    Lease.objects.filter(step=step.name, holder=holder).update(
        until=now,
        due_at=now + dt.timedelta(seconds=rest_s),
        error=error[:MAX_ERROR],
        failures=failures,
    )
