"""The service on Spring for Apache Kafka of tests/strangers/spring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.jars import QUICK_START, compile_java, fetch_jars
from tests.servers.processes import CACHE, ROOT, Process

SOURCE = ROOT / "tests" / "strangers" / "spring"
JARS = CACHE / "spring-kafka-3.3.4"
TOPICS = ("invoices", "shipments")
# A retry topic has a listener of its own.
GROUPS = ("billing", "shipping", "shipping-retry-0", "shipping-retry-1")
EFFECTS = {"invoices": "invoices-booked", "shipments": "shipments-sent"}


class Spring:
    """The running service. It fails as records ask it to, until `mend` is called."""

    def __init__(self, folder: Path, broker: str) -> None:
        """Compile it into `folder` and start it."""
        fetch_jars(SOURCE / "pom.xml", JARS)
        path = compile_java(SOURCE, JARS, folder / "spring-classes")
        self._switch = folder / "spring-mended"
        command = ["java", *QUICK_START, "-cp", path, "Service"]
        command += [broker, str(self._switch)]
        self.process = Process("spring", command, folder / "spring.log")

    def mend(self) -> None:
        """Let every record succeed from now on."""
        self._switch.touch()

    def wait_until_ready(self) -> None:
        """Return when each of its listeners has its partitions."""
        wanted = [f"{group}: partitions assigned: [".encode() for group in GROUPS]

        def joined() -> bool:
            log = self.process.log.read_bytes()
            return all(text in log for text in wanted)

        self.process.wait_until(joined, "join", within_s=120)


@contextmanager
def spring_service(folder: Path, broker: str) -> Iterator[Spring]:
    """Run the service with its log in `folder`; its topics are there before."""
    service = Spring(folder, broker)
    with service.process:
        service.wait_until_ready()
        yield service
