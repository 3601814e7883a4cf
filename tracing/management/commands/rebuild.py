"""`manage.py rebuild`: make the read models again from the log."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tracing.domain.errors import EventvizError
from tracing.models import RebuildRun
from tracing.projections.rebuild import rebuild

WIDTH = 30
TELL_EVERY_S = 0.2


class Command(BaseCommand):
    """Derive flows, events and search keys again while ingestion and pages go on."""

    help = (
        "Make the read models again from the stored records. Ingestion and pages go on meanwhile;"
        " pages show the old state until the new one takes its place. Needs room for both."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild, with a bar that tells how far it is."""
        began = told = time.monotonic()

        def progress(done: int, total: int) -> None:
            nonlocal told
            now = time.monotonic()
            if now - told >= TELL_EVERY_S:
                told = now
                self.stdout.write("\r" + bar(done, total, now - began), ending="")
                self.stdout.flush()

        run = RebuildRun(asked_by="manage.py rebuild", asked_at=timezone.now())
        try:
            done = rebuild(progress, run)
        except EventvizError as error:
            raise CommandError(str(error)) from error
        words = (
            f"Rebuilt the read models from {done:,} records in {time.monotonic() - began:.1f} s."
        )
        self.stdout.write("\r" + words.ljust(WIDTH + 60))


def bar(done: int, total: int, took_s: float) -> str:
    """Return the line for a moment: bar, share, counts, and how long it still takes.

    Records that come meanwhile are done too: `done` may outgrow `total`.
    """
    total = max(done, total, 1)
    filled = WIDTH * done // total
    left_s = took_s * (total - done) / max(done, 1)
    drawn = "█" * filled + "░" * (WIDTH - filled)
    share = f"{100 * done // total:3}%"
    return f"{drawn} {share}  {done:,} of {total:,} records, {_span(left_s)} left ".ljust(
        WIDTH + 60
    )


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
