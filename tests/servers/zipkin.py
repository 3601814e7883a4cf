"""Zipkin, the peer of the benchmarks: its server from Maven Central, with its Kafka collector."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.fetching import alone, fetch
from tests.servers.processes import CACHE, Process, can_connect, free_port

VERSION = "3.6.1"
JAR = CACHE / f"zipkin-server-{VERSION}-exec.jar"
# More than any benchmark collects: in-memory storage forgets the oldest spans above this.
MAX_SPANS = 10_000_000


def fetch_jar() -> None:
    """Copy Zipkin's jar into the cache; nothing happens when it is there."""
    with alone(JAR):
        if not JAR.exists():
            _fetch_jar()


def _fetch_jar() -> None:
    artifact = f"io.zipkin:zipkin-server:{VERSION}:jar:exec"
    maven = ["mvn", "-q", "-B"]
    get = [*maven, "dependency:get", f"-Dartifact={artifact}", "-Dtransitive=false"]
    fetch(get)
    copy = [*maven, "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={CACHE}"]
    fetch(copy)


@dataclass
class Zipkin:
    """A running Zipkin."""

    process: Process
    port: int

    def get(self, path: str) -> Any:
        """Return what an address of its API answers."""
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, timeout=120) as answer:
            return json.load(answer)

    def counted(self, what: str) -> int:
        """Return a counter of the collector for Kafka, such as `spans` or `spans_dropped`."""
        found = self.get("/metrics").get(f"counter.zipkin_collector.{what}.kafka", 0)
        return int(found)


@contextmanager
def zipkin(folder: Path, broker: str, *, topic: str, streams: int) -> Iterator[Zipkin]:
    """Run it with in-memory storage; it collects `topic` from the beginning, as soon as it runs."""
    fetch_jar()
    port = free_port()
    env = {
        "STORAGE_TYPE": "mem",
        "MEM_MAX_SPANS": str(MAX_SPANS),
        "KAFKA_BOOTSTRAP_SERVERS": broker,
        "KAFKA_TOPIC": topic,
        # A group of its own each time: nobody has read anything before.
        "KAFKA_GROUP_ID": f"zipkin-{port}",
        "KAFKA_STREAMS": str(streams),
        "QUERY_PORT": str(port),
    }
    log = folder / f"zipkin-{port}.log"
    with Process("zipkin", ["java", "-jar", str(JAR)], log, env=env) as process:
        process.wait_until(lambda: can_connect(port), "listen", within_s=180)
        yield Zipkin(process, port)
