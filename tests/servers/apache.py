"""One Apache Kafka 4.1 node (KRaft), its jars fetched by Maven once into .cache/."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.servers.jars import fetch_jars
from tests.servers.processes import CACHE, Process, can_connect, free_port

HERE = Path(__file__).resolve().parent
JARS = CACHE / "apache-kafka-4.1.0"
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={advertised}
listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/logs
num.partitions=3
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
{more}
"""


class Apache:
    """A node that can be stopped and started again on its ports, with its data."""

    def __init__(
        self,
        folder: Path,
        *,
        listeners: Mapping[str, str] | None = None,
        advertised: Mapping[str, int] | None = None,
        more: str = "",
        scram: Sequence[str] = (),
    ) -> None:
        """Format its storage in `folder`.

        `listeners` are further ones beside PLAINTEXT, each a name with its security protocol;
        `advertised` are the ports of those that clients reach by another one; `more` are lines for
        server.properties, `scram` values for --add-scram.
        """
        fetch_jars(HERE / "apache-kafka.pom.xml", JARS)
        protocols = {"PLAINTEXT": "PLAINTEXT", **(listeners or {})}
        self.ports = {name: free_port() for name in protocols}
        told = {**self.ports, **(advertised or {})}
        self._folder = folder
        self._log = folder / "apache-kafka.log"
        self._settings = folder / "server.properties"
        self._settings.write_text(
            PROPERTIES.format(
                listeners=",".join(f"{name}://{self.address(name)}" for name in protocols),
                advertised=",".join(f"{name}://127.0.0.1:{told[name]}" for name in protocols),
                protocols=",".join(f"{name}:{kind}" for name, kind in protocols.items()),
                controller=free_port(),
                folder=folder,
                more=more,
            )
        )
        self._format(scram)
        self.process: Process | None = None

    def address(self, listener: str = "PLAINTEXT") -> str:
        """Return the `host:port` of a listener."""
        return f"127.0.0.1:{self.ports[listener]}"

    def _format(self, scram: Sequence[str]) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # An id that begins with a dash would be read as an option.
        form = ["java", "-cp", f"{JARS}/*", "kafka.tools.StorageTool", "format", "--standalone"]
        form += ["-t", "A" + cluster[1:], "-c", str(self._settings)]
        for user in scram:
            form += ["--add-scram", user]
        with Process("storage tool", form, self._log) as tool:
            if tool.wait():
                raise RuntimeError(tool.output)

    def start(self) -> None:
        """Run the broker and wait until it serves."""
        command = ["java", "-Xmx512m", "-cp", f"{JARS}/*", "kafka.Kafka", str(self._settings)]
        begin = len(self._log.read_bytes())
        broker = Process("apache kafka", command, self._log)
        self.process = broker
        broker.wait_until(lambda: can_connect(self.ports["PLAINTEXT"]), "listen", within_s=180)
        broker.wait_until(
            lambda: b"Kafka Server started" in self._log.read_bytes()[begin:], "start", within_s=180
        )

    def stop(self) -> None:
        """End the broker, if it runs."""
        if self.process is not None:
            self.process.end()


@contextmanager
def apache_node(
    folder: Path,
    *,
    listeners: Mapping[str, str] | None = None,
    advertised: Mapping[str, int] | None = None,
    more: str = "",
    scram: Sequence[str] = (),
) -> Iterator[Apache]:
    """Run a node with its data in `folder`; yield it."""
    node = Apache(folder, listeners=listeners, advertised=advertised, more=more, scram=scram)
    try:
        node.start()
        yield node
    finally:
        node.stop()


@contextmanager
def apache_kafka(folder: Path) -> Iterator[str]:
    """Run a broker with its data in `folder`; yield its `host:port`."""
    with apache_node(folder) as node:
        yield node.address()
