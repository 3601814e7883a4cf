"""`manage.py prune`: remove old flows, by age or down to a size."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracing.domain.errors import EventvizError
from tracing.projections.keeping import parse_age, parse_size
from tracing.projections.prune import Pruner
from tracing.projections.rebuild import RebuildRunningError
from tracing.projections.size import record_count, used_bytes


class Command(BaseCommand):
    """Prune in small steps while everything else goes on."""

    help = (
        "Remove whole flows, the oldest first, with their records. Flows that moved within ten"
        " minutes stay. Ingestion and pages go on meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how much to keep, and whether to ask."""
        parser.add_argument("--older-than", metavar="AGE", help="90m, 36h, 7d, 4w")
        parser.add_argument("--keep-bytes", metavar="SIZE", help="500MB, 20GB")
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what would go, ask, and remove it."""
        try:
            age_ms = parse_age(options["older_than"]) if options["older_than"] else None
            keep = parse_size(options["keep_bytes"]) if options["keep_bytes"] else None
        except EventvizError as error:
            raise CommandError(str(error)) from error
        if age_ms is None and keep is None:
            raise CommandError("Write --older-than 7d, or --keep-bytes 20GB, or both.")
        self._yes, self._dry = options["yes"], options["dry_run"]
        try:
            if age_ms is not None:
                self._by_age(age_ms)
            if keep is not None:
                self._by_size(keep)
        except RebuildRunningError as error:
            raise CommandError(str(error)) from error

    def _by_age(self, age_ms: int) -> None:
        now_ms = int(time.time() * 1_000)
        pruner = Pruner(now_ms - age_ms, now_ms=now_ms)
        count = pruner.count()
        before = datetime.fromtimestamp(pruner.before_ms / 1_000, UTC)
        self.stdout.write(f"{_many(count, 'flow')} without a record since {before:%F %T} UTC.")
        if count and self._may_go():
            self._go(pruner, of=count)

    def _by_size(self, keep: int) -> None:
        used = used_bytes()
        self.stdout.write(f"{used:,} bytes are used; {keep:,} may be.")
        if used <= keep or not self._may_go():
            return
        records = record_count() * (used - keep) // used + 1
        now_ms = int(time.time() * 1_000)
        self._go(Pruner(now_ms, now_ms=now_ms), records=records)
        self.stdout.write(f"{used_bytes():,} bytes are used now.")

    def _may_go(self) -> bool:
        if self._dry:
            return False
        return self._yes or input("They cannot be brought back. Remove them? [y/N] ") in {"y", "Y"}

    def _go(self, pruner: Pruner, *, of: int = 0, records: int | None = None) -> None:
        """Step until nothing is left to remove, or so many records went."""
        flows = gone = 0
        while (done := pruner.step()).more:
            flows += done.flows
            gone += done.records
            behind = f" of {of:,}" if of else ""
            self.stdout.write(f"\r{flows:,}{behind} flows, {gone:,} records", ending="")
            self.stdout.flush()
            if records is not None and gone >= records:
                break
        self.stdout.write(f"\rRemoved {_many(flows, 'flow')} with {_many(gone, 'record')}.")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
