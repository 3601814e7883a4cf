"""Kafka Connect 4.1 standalone with file sinks that cannot read what they are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.jars import QUICK_START, fetch_jars
from tests.servers.processes import CACHE, ROOT, Process, free_port

JARS = CACHE / "kafka-connect-4.1.0"
POM = ROOT / "tests" / "strangers" / "connect" / "pom.xml"
WORKER = """\
bootstrap.servers={broker}
listeners=http://127.0.0.1:{port}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
offset.storage.file.filename={folder}/connect.offsets
"""
SINK = """\
name={name}
connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector
tasks.max=1
topics={topic}
file={folder}/{name}.txt
consumer.override.auto.offset.reset=earliest
transforms=total
transforms.total.type=org.apache.kafka.connect.transforms.Cast$Value
transforms.total.spec=total:int32
errors.tolerance=all
errors.deadletterqueue.topic.name={dead_letters}
errors.deadletterqueue.topic.replication.factor=1
errors.deadletterqueue.context.headers.enable={headers}
"""
# Source topic -> dead letter topic; the second one's writer says nothing about the failure.
DEAD_LETTERS = {"ledger": "ledger-dlq", "archive": "archive-rejects"}
WITH_HEADERS = frozenset({"ledger"})


@contextmanager
def kafka_connect(
    folder: Path, broker: str, dead_letters: Mapping[str, str] = DEAD_LETTERS
) -> Iterator[Process]:
    """Run a worker with a sink for each topic (`<topic>-sink`, writing `<topic>-sink.txt`)."""
    fetch_jars(POM, JARS)
    worker = folder / "connect-worker.properties"
    worker.write_text(WORKER.format(broker=broker, port=free_port(), folder=folder))
    files = [str(worker)]
    for topic, rejected in dead_letters.items():
        sink = folder / f"{topic}.properties"
        sink.write_text(
            SINK.format(
                name=f"{topic}-sink",
                topic=topic,
                dead_letters=rejected,
                headers=str(topic in WITH_HEADERS).lower(),
                folder=folder,
            )
        )
        files.append(str(sink))
    main = "org.apache.kafka.connect.cli.ConnectStandalone"
    command = ["java", *QUICK_START, "-cp", f"{JARS}/*", main, *files]
    with Process("connect", command, folder / "connect.log") as process:
        yield process
