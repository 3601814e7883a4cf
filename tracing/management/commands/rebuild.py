"""`manage.py rebuild`: make the read models again from the log."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from tracing.models import Record
from tracing.projections.rebuild import rebuild


class Command(BaseCommand):
    """Derive flows, events and search keys again; ingestion waits meanwhile."""

    help = "Make the read models again from the stored records. Ingestion waits meanwhile."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild, telling how far it is."""
        total = Record.objects.count()

        def progress(done: int) -> None:
            self.stdout.write(f"\r{done:,} of {total:,} records", ending="")
            self.stdout.flush()

        done = rebuild(progress)
        self.stdout.write(f"\rRebuilt the read models from {done:,} records.")
