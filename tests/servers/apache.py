"""One Apache Kafka 4.1 node (KRaft), its jars fetched by Maven once into .cache/."""

from __future__ import annotations

import base64
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import CACHE, Process, can_connect, free_port

HERE = Path(__file__).resolve().parent
JARS = CACHE / "apache-kafka-4.1.0"
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/logs
num.partitions=3
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def fetch_jars() -> None:
    """Copy Kafka's jars into the cache; nothing happens when they are there."""
    done = JARS / "complete"
    if done.exists():
        return
    # The goal of the plugin needs no build file of its own but the one that names the jars.
    command = ["mvn", "-q", "-B", "-f", str(HERE / "apache-kafka.pom.xml")]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={JARS}"]
    subprocess.run(command, check=True)
    done.touch()


@contextmanager
def apache_kafka(folder: Path) -> Iterator[str]:
    """Run a broker with its data in `folder`; yield its `host:port`."""
    fetch_jars()
    port, controller = free_port(), free_port()
    settings = folder / "server.properties"
    settings.write_text(PROPERTIES.format(port=port, controller=controller, folder=folder))
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # An id that begins with a dash would be read as an option.
    cluster = "A" + cluster[1:]
    java = ["java", "-cp", f"{JARS}/*"]
    log = folder / "apache-kafka.log"
    form = [*java, "kafka.tools.StorageTool", "format", "--standalone", "-t", cluster]
    with Process("storage tool", [*form, "-c", str(settings)], log) as tool:
        if tool.wait(60):
            raise RuntimeError(tool.output)
    run = [java[0], "-Xmx512m", *java[1:], "kafka.Kafka", str(settings)]
    with Process("apache kafka", run, log) as broker:
        broker.wait_until(lambda: can_connect(port), "listen", within_s=60)
        broker.wait_until(lambda: "Kafka Server started" in broker.output, "start", within_s=60)
        yield f"127.0.0.1:{port}"
