"""Apicurio Registry 3 with its memory as its store, fetched by Maven once into .cache/.

It speaks the interface of Confluent's registry under `/apis/ccompat/v7`.
"""

from __future__ import annotations

import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.fetching import alone, fetch
from tests.servers.processes import CACHE, Process, free_port

VERSION = "3.0.9"
HOME = CACHE / f"apicurio-registry-{VERSION}"


def fetch_registry() -> None:
    """Copy the registry into the cache and unpack it; nothing happens when it is there."""
    done = HOME / "complete"
    with alone(HOME):
        if done.exists():
            return
        artifact = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
        command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}"]
        fetch([*command, f"-DoutputDirectory={HOME}"])
        for archive in HOME.glob("*.tar.gz"):
            with tarfile.open(archive) as tar:
                tar.extractall(HOME, filter="data")
            archive.unlink()
        done.touch()


@contextmanager
def running_apicurio(folder: Path) -> Iterator[str]:
    """Run an empty registry with its log in `folder`; yield the address of its interface."""
    fetch_registry()
    port = free_port()
    runner = next(HOME.rglob("*-runner.jar"))
    where = ["-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}"]
    # It lives for minutes: a quick start counts for more than quick answers.
    options = ["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    command = ["java", *options, *where, "-jar", str(runner)]
    url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
    with Process("apicurio", command, folder / "apicurio.log") as registry:
        registry.wait_until(lambda: _answers(f"{url}/subjects"), "answer", within_s=240)
        yield url


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
