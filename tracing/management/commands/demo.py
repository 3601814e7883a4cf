"""Run everything on one machine: broker, shop, ingestor and web server."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, Final

import django
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracing.domain.errors import EventvizError
from tracing.kafka.embedded import broker_command
from tracing.management import parts
from tracing.management.supervisor import (
    PortTakenError,
    StopRequested,
    Supervisor,
    accepts,
    check_port,
    die_with,
)

HOST: Final = "127.0.0.1"
ORDER_PLACED: Final = "OrderPlaced"
START_TIMEOUT_S: Final = 60.0


class Command(BaseCommand):
    """Start the parts as processes of their own, and end them together."""

    help = "Run the embedded broker, the sample shop, the ingestor and the web server."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the two ports."""
        parser.add_argument("--port", type=int, default=8000, help="of the pages")
        parser.add_argument("--kafka-port", type=int, default=19092, help="of the broker")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until Ctrl-C or SIGTERM; a part that ends by itself is an error."""
        try:
            self._run(options["port"], options["kafka_port"])
        except StopRequested:
            self.stdout.write("\nEverything has ended.")
        except EventvizError as error:
            raise CommandError(str(error)) from error

    def _run(self, port: int, kafka_port: int) -> None:
        check_port(port, f"run make demo PORT={parts.another(port)}")
        check_port(kafka_port, f"run make demo KAFKA_PORT={parts.another(kafka_port)}")
        if port == kafka_port:
            raise PortTakenError(f"PORT and KAFKA_PORT are both {port}: choose two ports.")
        with Supervisor(sys.stdout) as supervisor:
            if "MAKELEVEL" in os.environ:
                # Without make nobody would be left to press Ctrl-C.
                die_with(os.getppid(), signal.SIGTERM)()
            supervisor.start("broker", broker_command(kafka_port), _without_telemetry())
            database = _empty_database(supervisor, settings.BASE_DIR / ".demo", port)
            environment = _environment(port, kafka_port, database)
            quiet = {"EVENTVIZ_LOG_LEVEL": "WARNING"} | environment
            supervisor.wait_until(
                lambda: accepts(kafka_port), timeout_s=START_TIMEOUT_S, what="The broker"
            )
            # The shop first: its services need a second to join their groups.
            # Its skipped duplicates bear a mark on the pages; its own log has them in words.
            supervisor.start("shop", parts.manage("shop"), quiet)
            supervisor.start("ingest", parts.manage("ingest"), quiet)
            supervisor.start("web", parts.web(port), quiet)
            supervisor.wait_until(
                lambda: parts.answers(port, "/flows/"),
                timeout_s=START_TIMEOUT_S,
                what="The web server",
            )
            # Nobody waits for it: it looks after the groups while the first page is being read.
            supervisor.start("work", parts.manage("work"), quiet)
            self.stdout.write(
                f"\n  Pages   http://{HOST}:{port}/\n"
                f"  Kafka   {HOST}:{kafka_port}\n"
                f"  End     Ctrl-C\n"
            )
            self.stdout.flush()
            supervisor.run()


def _environment(port: int, kafka_port: int, database: Path) -> dict[str, str]:
    return os.environ | {
        "PYTHONUNBUFFERED": "1",
        "EVENTVIZ_DEMO": "1",
        "EVENTVIZ_DATABASE_URL": f"sqlite:///{database}",
        "EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{kafka_port}",
        "EVENTVIZ_KAFKA_TOPICS": "*",
        "EVENTVIZ_KAFKA_START": "earliest",
        "EVENTVIZ_SESSION_COOKIE": f"eventviz-{port}",
        # What another demo's orders or sagas left must not go on in this one.
        "EVENTVIZ_SHOP_STORE": str(database.with_name("shop.sqlite3")),
    }


def _without_telemetry() -> dict[str, str]:
    # The broker would export its own spans, which are none of the shop's.
    return {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}


def _empty_database(supervisor: Supervisor, folder: Path, port: int) -> Path:
    """Return a fresh database for this port: a copy of an empty one, which is migrated once."""
    folder.mkdir(exist_ok=True)
    template = folder / f"empty-{_schema_digest()}.sqlite3"
    if not template.exists():
        draft = folder / f"draft-{os.getpid()}.sqlite3"
        supervisor.start(
            "migrate",
            parts.manage("migrate", "--verbosity", "0"),
            os.environ | {"EVENTVIZ_DATABASE_URL": f"sqlite:///{draft}"},
        )
        supervisor.finish("migrate")
        # Whatever comes first, the shop's sagas and schemas are known before it.
        sagas = [str(file) for file in _sagas()]
        supervisor.start(
            "sagas",
            parts.manage("saga", *sagas, "--valid-from", "1970-01-01", "--verbosity", "0"),
            os.environ | {"EVENTVIZ_DATABASE_URL": f"sqlite:///{draft}"},
        )
        supervisor.finish("sagas")
        schemas = [str(file) for file in _schemas()]
        supervisor.start(
            "schemas",
            parts.manage("schema", ORDER_PLACED, *schemas, "--verbosity", "0"),
            os.environ | {"EVENTVIZ_DATABASE_URL": f"sqlite:///{draft}"},
        )
        supervisor.finish("schemas")
        for old in folder.glob("empty-*.sqlite3"):
            old.unlink(missing_ok=True)
        draft.rename(template)
    home = folder / str(port)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    return Path(shutil.copyfile(template, home / "eventviz.sqlite3"))


def _schema_digest() -> str:
    """Return a name for what would be made: our migrations, Django's version, the shop's files."""
    digest = hashlib.sha256(django.__version__.encode())
    migrations = sorted((settings.BASE_DIR / "tracing" / "migrations").glob("*.py"))
    for file in [*migrations, *_sagas(), *_schemas()]:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _sagas() -> list[Path]:
    """Return the definitions of the shop's sagas."""
    return sorted((settings.BASE_DIR / "tracing" / "demo" / "sagas").glob("*.yaml"))


def _schemas() -> list[Path]:
    """Return the versions of OrderPlaced, the first one first; the shop registers the others."""
    return sorted((settings.BASE_DIR / "tracing" / "demo" / "schemas").glob(f"{ORDER_PLACED}.*"))
