"""Run eventviz for a cluster of one's own: migrate, ingest, work and serve the pages."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection, connections

from tracing.domain.errors import BrokerUnavailableError, EventvizError
from tracing.ingest.selection import parse_start
from tracing.jobs.steps import all_steps
from tracing.kafka.connection import read_security
from tracing.kafka.welcome import check_welcome
from tracing.management import parts
from tracing.management.supervisor import StopRequested, Supervisor, check_port
from tracing.web.access import DEMO_USER, Role, give_role
from tracing.web.accounts.links import LIFE_S, make_link

START_TIMEOUT_S: Final = 60.0
# An ingestor ends within this: it finishes its batch.
GRACE_S: Final = 10.0
LOOK_MS: Final = 3_000
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class Command(BaseCommand):
    """Start the parts as processes of their own, and end them together."""

    help = "Run migrations, the ingestor, the worker and the web server for your own cluster."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to serve, and how many ingestors share the partitions."""
        parser.add_argument("--port", type=int, default=8000, help="of the pages")
        parser.add_argument("--host", default=parts.LOOPBACK, help="to listen on (127.0.0.1)")
        parser.add_argument("--ingestors", type=int, default=1, help="on Postgres, more than one")
        parser.add_argument("--admin", default="admin", help="name of the first administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until Ctrl-C or SIGTERM; a part that ends by itself is an error."""
        try:
            self._run(options)
        except StopRequested:
            self.stdout.write("\nEverything has ended.")
        except EventvizError as error:
            raise CommandError(str(error)) from error

    def _run(self, options: dict[str, Any]) -> None:
        port, host = options["port"], options["host"]
        if not 1 <= options["ingestors"] <= 32:
            raise CommandError("--ingestors: write 1 to 32.")
        if options["ingestors"] > 1 and connection.vendor == "sqlite":
            raise CommandError("--ingestors: SQLite has one writer; several need Postgres.")
        # What the parts would only say after they were started.
        parse_start(settings.EVENTVIZ_KAFKA_START)
        all_steps()
        check_port(port, f"run manage.py start --port {parts.another(port)}", host=host)
        _check_database()
        with Supervisor(sys.stdout, grace_s=GRACE_S) as supervisor:
            environment = os.environ | {"PYTHONUNBUFFERED": "1"}
            supervisor.start("migrate", parts.manage("migrate", "--verbosity", "0"), environment)
            supervisor.finish("migrate")
            link = _first_link(options["admin"])
            # The children must not share our connection.
            connections.close_all()
            for number in range(1, options["ingestors"] + 1):
                name = f"ingest-{number}" if options["ingestors"] > 1 else "ingest"
                supervisor.start(name, parts.manage("ingest"), environment)
            supervisor.start("work", parts.manage("work"), environment)
            supervisor.start("web", parts.web(port, host=host), environment)
            near = _EVERYWHERE.get(host, host)
            supervisor.wait_until(
                lambda: parts.answers(port, "/health/", host=near),
                timeout_s=START_TIMEOUT_S,
                what="The web server",
            )
            self._say(_address(near, port), link)
            supervisor.run()

    def _say(self, address: str, link: str) -> None:
        """Say where the pages are, what the cluster answers, and how to sign in."""
        servers = settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS
        self.stdout.write(f"\n  Pages    {address}/\n  Kafka    {', '.join(servers)}")
        try:
            security = read_security(settings.EVENTVIZ_KAFKA_SECURITY)
            check_welcome(servers, security, timeout_ms=LOOK_MS)
        except BrokerUnavailableError as error:
            self.stdout.write(f"           {error.sentence} The ingestor keeps trying.")
        if link:
            self.stdout.write(
                f"  Sign in  {address}{link}\n"
                f"           once, within {LIFE_S // 60} minutes; makes the first administrator"
            )
        self.stdout.write("  End      Ctrl-C\n")
        self.stdout.flush()


def _check_database() -> None:
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise CommandError(f"The database of EVENTVIZ_DATABASE_URL: {error}") from error


def _first_link(name: str) -> str:
    """Return a one-time link for the first administrator; empty once there is one with a password.

    One that never chose a password gets a new link at each start.
    """
    admins = User.objects.filter(is_superuser=True, is_active=True).exclude(username=DEMO_USER)
    if any(admin.has_usable_password() for admin in admins):
        return ""
    admin = admins.order_by("pk").first()
    if admin is None:
        if User.objects.filter(username=name).exists():
            raise CommandError(
                f"{name!r} is no administrator: write --admin with another name,"
                f" or run manage.py user {name} --role admin"
            )
        admin = User.objects.create_user(name)
        give_role(admin, Role.ADMIN)
    return make_link(admin)


def _address(host: str, port: int) -> str:
    """Return the pages' address: behind a proxy for TLS, the first host name that is allowed."""
    if settings.SESSION_COOKIE_SECURE:
        return f"https://{settings.ALLOWED_HOSTS[0]}"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
