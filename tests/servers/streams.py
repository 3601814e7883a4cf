"""The Kafka Streams application of tests/strangers/streams (4.2, the first with dead letters)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.jars import QUICK_START, compile_java, fetch_jars
from tests.servers.processes import CACHE, ROOT, Process

SOURCE = ROOT / "tests" / "strangers" / "streams"
JARS = CACHE / "kafka-streams-4.2.0"
TOPICS = ("stock", "stock-checked", "stock-dlq")


@contextmanager
def kafka_streams(folder: Path, broker: str) -> Iterator[Process]:
    """Run it with its log and state in `folder`; its topics are there before."""
    fetch_jars(SOURCE / "pom.xml", JARS)
    path = compile_java(SOURCE, JARS, folder / "streams-classes")
    command = ["java", *QUICK_START, "-cp", path, "Stock", broker, str(folder / "streams-state")]
    with Process("streams", command, folder / "streams.log") as process:
        yield process
