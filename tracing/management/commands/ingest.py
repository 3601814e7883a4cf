"""`manage.py ingest`: read the topics and store every record."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from tracing.ingest.alone import AlreadyIngestingError, alone
from tracing.ingest.memory import collect_seldom, keep_buffers
from tracing.ingest.pipeline import Pipeline
from tracing.ingest.selection import BadStartError, parse_start
from tracing.ingest.session import Options
from tracing.kafka.connection import BadSecurityError, read_security
from tracing.management.ending import end_with
from tracing.management.manners import give_way
from tracing.management.migrated import check_migrated


class Command(BaseCommand):
    """Run an ingestor in the foreground until SIGTERM or Ctrl-C."""

    help = "Read the Kafka topics and store every record, until stopped."
    # Not those of addresses and templates: it would have to load every page.
    requires_system_checks = [Tags.models]

    def handle(self, *args: Any, **options: Any) -> None:
        """Read the settings, then ingest."""
        # Before anything starts a thread, which would have an arena of its own.
        keep_buffers()
        check_migrated()
        give_way(settings.EVENTVIZ_INGEST_NICE)
        collect_seldom()
        stop = threading.Event()
        end_with(stop)
        try:
            with alone():
                Pipeline(self._options(), stop).run()
        except AlreadyIngestingError as error:
            raise CommandError(str(error)) from error

    def _options(self) -> Options:
        try:
            start = parse_start(settings.EVENTVIZ_KAFKA_START)
            security = read_security(settings.EVENTVIZ_KAFKA_SECURITY)
        except (BadStartError, BadSecurityError) as error:
            raise CommandError(str(error)) from error
        return Options(
            servers=settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS,
            security=security,
            patterns=settings.EVENTVIZ_KAFKA_TOPICS,
            start=start,
            group=settings.EVENTVIZ_KAFKA_GROUP,
            name=f"{socket.gethostname()}-{os.getpid()}",
            # SQLite has one writer; on Postgres several ingestors share the partitions.
            shared=connection.vendor != "sqlite",
            apart=True,
            discovery_ms=settings.EVENTVIZ_KAFKA_DISCOVERY_MS,
            max_record_bytes=settings.EVENTVIZ_MAX_RECORD_BYTES,
        )
