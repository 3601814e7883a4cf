"""The rebuild that somebody asked for on a page."""

from __future__ import annotations

import datetime as dt
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from django.db import connection
from django.utils import timezone

from tracing.jobs.step import Step
from tracing.models import RebuildRun
from tracing.projections.decisions import EVERY_S, forget_mappings
from tracing.projections.rebuild import rebuild

if TYPE_CHECKING:
    from django.db.models import QuerySet

log = logging.getLogger(__name__)

# By then every ingestor reads by the new rules, and what it had read by the old ones is stored.
BEGIN_AFTER = dt.timedelta(seconds=2 * EVERY_S)
TELL_EVERY_S = 1.0


class Rebuild(Step):
    """Makes the read models again, and says in its row how far it is."""

    name = "rebuild"
    every_s = 1.0
    # One that died in the middle has changed nothing; the next begins anew.
    lease_s = 600.0

    def wanted(self) -> bool:
        """Tell whether somebody has asked for it."""
        return _due().exists()

    def run(self) -> bool:
        """Do the oldest rebuild that was asked for, however long it takes."""
        row = _due().order_by("id").first()
        if row is None:
            return False
        RebuildRun.objects.filter(id=row.id).update(started_at=timezone.now())
        forget_mappings()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="rebuild") as teller:
            done = rebuild(_Progress(row.id, teller))
        # Requests that came meanwhile wait for a rebuild of their own.
        RebuildRun.objects.filter(id=row.id).update(finished_at=timezone.now(), done=done)
        log.info("Rebuilt the read models from %s records.", done)
        return True


class _Progress:
    """Tells how far it is over a connection of its own: the rebuild is one transaction.

    SQLite has one writer, which is the rebuild: there the page only says that it runs.
    """

    def __init__(self, run_id: int, teller: ThreadPoolExecutor) -> None:
        self._run_id = run_id
        self._teller = teller
        self._told_at = 0.0

    def __call__(self, done: int) -> None:
        if connection.vendor == "sqlite" or time.monotonic() - self._told_at < TELL_EVERY_S:
            return
        self._told_at = time.monotonic()
        self._teller.submit(self._tell, done)

    def _tell(self, done: int) -> None:
        try:
            RebuildRun.objects.filter(id=self._run_id).update(done=done)
        finally:
            connection.close()


def _due() -> QuerySet[RebuildRun]:
    return RebuildRun.objects.filter(finished_at=None, asked_at__lte=timezone.now() - BEGIN_AFTER)
