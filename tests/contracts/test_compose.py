"""docker-compose.yml without a container engine: its own commands and environments, by hand.

Each service is run as the file says, against the same servers; only host names, ports and folders
are those of this machine.
"""

from __future__ import annotations

import os
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from tests.servers.apache import Apache, apache_node
from tests.servers.processes import ROOT, Process, ServerError, free_port
from tests.servers.product import Product
from tests.strangers.producing import Sent, create_topics, envelope, send

FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
# Where a broker listens and keeps its data is a matter of the machine.
OF_THE_MACHINE = {
    "listeners",
    "advertised.listeners",
    "listener.security.protocol.map",
    "inter.broker.listener.name",
    "controller.quorum.voters",
    "log.dirs",
}


def compose(given: dict[str, str]) -> dict[str, Any]:
    """Return the file's services as compose reads them, with these variables set."""

    def filled(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: filled(value) for name, value in part.items()}
        if isinstance(part, list):
            return [filled(value) for value in part]
        if isinstance(part, str):
            return VARIABLE.sub(lambda found: given.get(found[1]) or found[2], part)
        return part

    services: dict[str, Any] = filled(yaml.safe_load(FILE.read_text())["services"])
    return services


def properties(environment: dict[str, str]) -> str:
    """Return what the image makes of KAFKA_* variables: lines of server.properties."""
    lines = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in environment.items()
    }
    return "\n".join(
        f"{name}={value}" for name, value in lines.items() if name not in OF_THE_MACHINE
    )


class Engine:
    """What a container engine would do with a service, on loopback."""

    def __init__(self, services: dict[str, Any], hosts: dict[str, str], folder: Path) -> None:
        """Replace `hosts` (host:port as the file has them) in commands and environments."""
        self.services = services
        self.port = free_port()
        self._hosts = hosts
        self._folder = folder
        self.product = Product("", self.port, {}, folder)

    def environment(self, name: str) -> dict[str, str]:
        """Return a service's environment here."""
        found = {}
        for key, value in self.services[name]["environment"].items():
            for there, here in self._hosts.items():
                value = value.replace(there, here)
            found[key] = value
        return found

    def run(self, name: str) -> Process:
        """Start a service's own command."""
        command = [sys.executable if word == "python" else word for word in self._command(name)]
        bare = {key: value for key, value in os.environ.items() if "EVENTVIZ" not in key}
        # An engine hands out nothing of its own environment.
        command = ["env", "-i", *(f"{key}={value}" for key, value in bare.items()), *command]
        at = command.index(sys.executable)
        command[at:at] = [f"{key}={value}" for key, value in self.environment(name).items()]
        process = Process(name, command, self._folder / f"{name}.log")
        self.product.processes[name] = process
        return process

    def _command(self, name: str) -> list[str]:
        command = [str(word) for word in self.services[name]["command"]]
        if name == "web":
            # The port inside the container is the one that is published and that health asks.
            assert "8000" in command
            assert self.services[name]["ports"] == ["127.0.0.1:8000:8000"]
            assert "127.0.0.1:8000/health/" in self.services[name]["healthcheck"]["test"][3]
            command = [str(self.port) if word == "8000" else word for word in command]
        return command

    def health(self, name: str) -> list[str]:
        """Return a service's own health check as a command for here."""
        words = [str(word) for word in self.services[name]["healthcheck"]["test"][1:]]
        return [
            sys.executable if word == "python" else word.replace(":8000", f":{self.port}")
            for word in words
        ]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Apache]:
    """Yield Apache Kafka with the settings that the file gives it."""
    environment = compose({})["kafka"]["environment"]
    listeners = {"INTERNAL": "PLAINTEXT", "EXTERNAL": "PLAINTEXT"}
    with apache_node(tmp_path, listeners=listeners, more=properties(environment)) as node:
        yield node


@pytest.mark.slow
@pytest.mark.apache
@pytest.mark.postgres
def test_every_service_runs_with_its_own_command_and_environment(
    broker: Apache, postgres_url: str, tmp_path: Path
) -> None:
    services = compose({"EVENTVIZ_SHOP": "1"})
    hosts = {
        "kafka:9092": broker.address("INTERNAL"),
        "postgres://eventviz:eventviz@postgres:5432/eventviz": postgres_url,
    }
    engine = Engine(services, hosts, tmp_path)
    product, flow = engine.product, f"flow-{uuid.uuid4()}"
    try:
        migrate = engine.run("migrate")
        assert migrate.wait() == 0, migrate.output
        for name in ("ingest", "work", "shop", "web"):
            engine.run(name)

        def healthy() -> bool:
            log = tmp_path / "health.log"
            with Process("health", engine.health("web"), log) as check:
                return check.wait() == 0

        product.wait_for(healthy, "the health check to pass")
        # A stranger outside reaches the broker at the other listener.
        create_topics(broker.address("EXTERNAL"), ["orders"])
        record = Sent("orders", envelope("OrderPlaced", correlation_id=flow))
        send(broker.address("EXTERNAL"), [record])

        def shown() -> bool:
            with psycopg.connect(postgres_url) as connection:
                row = connection.execute(
                    "SELECT count(*) FILTER (WHERE correlation_id = %s), count(*)"
                    " FROM tracing_flow",
                    (flow,),
                ).fetchone()
            # Ours, and those of the shop.
            return row is not None and row[0] == 1 and row[1] > 1

        product.wait_for(shown, "our flow and the shop's", within_s=90)
        # Nobody gets in without an account: this is no demo.
        assert product.get("/api/flows")[0] == 401
        for name in ("ingest", "work", "shop", "web"):
            assert product.processes[name].popen.poll() is None
            product.processes[name].popen.terminate()
        grace = int(services["ingest"]["stop_grace_period"].rstrip("s"))
        assert product.processes["ingest"].wait(grace) == 0
        assert product.processes["work"].wait(grace) == 0
    except ServerError as error:
        raise ServerError(f"{error}\n{product.logs()}") from None
    finally:
        product.end()


def test_without_a_profile_neither_broker_nor_shop_is_run_and_nothing_waits_for_them() -> None:
    services = compose({})
    always = {name for name, service in services.items() if "profiles" not in service}

    assert always == {"postgres", "migrate", "web", "ingest", "work"}
    for name in always:
        assert set(services[name].get("depends_on", {})) <= always


def test_whatever_is_published_is_published_on_loopback_alone() -> None:
    published = [port for service in compose({}).values() for port in service.get("ports", ())]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_image_holds_what_the_services_run_and_no_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, flags=re.M)
    for path in " ".join(copied).split():
        assert (ROOT / path).exists()
        assert f"!{path}" in ignored
    assert re.search(r"^USER [1-9]\d*$", dockerfile, flags=re.M)
    command = re.search(r"^CMD (\[.+\])$", dockerfile, flags=re.M)
    assert command
    assert yaml.safe_load(command[1]) == compose({})["web"]["command"]
