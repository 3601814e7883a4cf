"""Run the sample shop."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils.module_loading import import_string

from tracing.demo import avro
from tracing.demo.counter import open_journal, open_store
from tracing.demo.shop import Part, Shop
from tracing.domain.errors import EventvizError
from tracing.kafka.connection import read_security

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracing.demo.publishing import ShopEvent

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Run the five services, the orchestrator, and the customers who order by themselves."""

    help = "Run the sample shop's services against EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the rate of orders, and which part."""
        parser.add_argument(
            "--rate",
            type=float,
            default=settings.DEMO_RATE,
            help="Orders a second that come by themselves (default: DEMO_RATE, or 1).",
        )

        parser.add_argument(
            "--only",
            choices=[part.value for part in Part],
            help="Run the services, or the orchestrator, in a process of their own.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT or SIGTERM."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        # Tells of a broker that is away with each request; the shop says it once.
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
        try:
            with Shop(
                settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS,
                read_security(settings.EVENTVIZ_KAFKA_SECURITY),
                rate=options["rate"],
                tracer_of=import_string(settings.EVENTVIZ_TRACER),
                store=open_store(),
                journal=open_journal(),
                only=Part(options["only"]) if options["only"] else None,
                avro=_avro(),
            ) as shop:
                shop.wait()
        except KeyboardInterrupt:
            return
        except EventvizError as error:
            raise CommandError(str(error)) from error


def _avro() -> dict[str, Callable[[ShopEvent], bytes]]:
    """Return the topic that is written in Avro; none where no registry can be reached."""
    try:
        return {avro.TOPIC: avro.Notifications().encode}
    except (DatabaseError, EventvizError) as error:
        log.warning("No schema can be registered: notifications are JSON. %s", error)
        return {}
