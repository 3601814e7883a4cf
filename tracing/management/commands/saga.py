"""Declare sagas by files, as a person does on the admin pages."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracing.domain.errors import EventvizError
from tracing.projections.saga_decisions import declare


class Command(BaseCommand):
    """Put the definitions of some files in force."""

    help = "Declare sagas by YAML or JSON files; each becomes the next version of its name."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take files, and since when they hold."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument(
            "--valid-from",
            type=_moment,
            help="A date or a time in ISO 8601, UTC unless it says else (default: now). "
            "Sagas that began before are not judged by it.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Stop at the first file that cannot be used."""
        for file in options["files"]:
            try:
                text = file.read_text(encoding="utf-8")
                row = declare(text, by="command line", valid_from=options["valid_from"])
            except (OSError, UnicodeDecodeError, EventvizError) as error:
                raise CommandError(f"{file}: {error}") from error
            if options["verbosity"]:
                since = f"{row.valid_from:%Y-%m-%d %H:%M:%S}"
                self.stdout.write(f"{row.name}: version {row.version} since {since} UTC.")
        if options["verbosity"] and options["valid_from"] is None:
            self.stdout.write("What began before is judged by it only with --valid-from.")


def _moment(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
