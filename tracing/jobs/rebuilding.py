"""The rebuild that somebody asked for on a page."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from tracing.jobs.step import Step
from tracing.models import RebuildRun
from tracing.projections.decisions import EVERY_S
from tracing.projections.rebuild import DEAD_AFTER, rebuild

if TYPE_CHECKING:
    from django.db.models import QuerySet

log = logging.getLogger(__name__)

# By then every ingestor reads by the new rules, and what it had read by the old ones is stored.
BEGIN_AFTER = dt.timedelta(seconds=2 * EVERY_S)


class Rebuild(Step):
    """Makes the read models again; its row says how far it is."""

    name = "rebuild"
    every_s = 1.0
    # A rebuild may outlast it: its row tells other workers that somebody is at it.
    lease_s = DEAD_AFTER.total_seconds()

    def wanted(self) -> bool:
        """Tell whether somebody has asked for it, and nobody is at it."""
        return _due().exists()

    def run(self) -> bool:
        """Do the oldest rebuild that was asked for, however long it takes."""
        row = _due().order_by("id").first()
        if row is None:
            return False
        # Requests that come meanwhile wait for a rebuild of their own.
        done = rebuild(run=row)
        log.info("Rebuilt the read models from %s records.", done)
        return True


def _due() -> QuerySet[RebuildRun]:
    """Return those that wait, and one that broke off in the middle."""
    now = timezone.now()
    idle = Q(beat_at=None) | Q(beat_at__lte=now - DEAD_AFTER)
    return RebuildRun.objects.filter(idle, finished_at=None, asked_at__lte=now - BEGIN_AFTER)
