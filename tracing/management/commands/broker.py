"""Run the embedded broker alone."""

from __future__ import annotations

import os
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracing.domain.errors import EventvizError
from tracing.kafka.embedded import broker_command


class Command(BaseCommand):
    """Become the embedded broker: it listens on loopback and forgets everything at its end."""

    help = "Run the embedded Kafka-protocol broker on loopback; it keeps its records in memory."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the port."""
        parser.add_argument("--port", type=int, default=19092)

    def handle(self, *args: Any, **options: Any) -> NoReturn:
        """Replace this process, so that signals reach the broker itself."""
        try:
            command = broker_command(options["port"])
        except EventvizError as error:
            raise CommandError(str(error)) from error
        self.stderr.write(f"The embedded broker listens on 127.0.0.1:{options['port']}.")
        os.execv(command[0], command)  # noqa: S606
