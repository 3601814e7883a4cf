"""Register schemas by files, as a person does on the admin pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracing.domain.errors import EventvizError
from tracing.schemas.current import current_registry
from tracing.schemas.errors import IncompatibleSchemaError
from tracing.schemas.parsing import TYPES
from tracing.schemas.registry import Draft
from tracing.web.schemas.deeds import audited


class Command(BaseCommand):
    """Register the next versions of one subject."""

    help = "Register schemas by files; each becomes the next version of the subject."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a subject, files in the order of their versions, and their format."""
        parser.add_argument("subject", help="such as OrderPlaced or orders-value")
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--type", choices=TYPES, default=TYPES[0], help="(default: AVRO)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Stop at the first file that the registry refuses, and say why."""
        for file in options["files"]:
            try:
                draft = Draft(file.read_text(encoding="utf-8"), options["type"])
                entry = current_registry(audited).register(
                    options["subject"], draft, by="command line"
                )
            except IncompatibleSchemaError as error:
                said = "\n  ".join((f"{file}: {error}", *error.reasons))
                raise CommandError(said) from error
            except (OSError, UnicodeDecodeError, EventvizError) as error:
                raise CommandError(f"{file}: {error}") from error
            if options["verbosity"]:
                self.stdout.write(f"{entry.subject}: version {entry.version}, id {entry.id}.")
