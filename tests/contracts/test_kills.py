"""Ingestors killed at random in the middle of a stream: nothing is lost, nothing twice."""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.contracts.test_sharing import TYPES, records
from tests.servers.postgres import postgres
from tests.servers.processes import MANAGE
from tests.servers.product import Product, running_product
from tests.servers.stored import check_events, stored_count, stored_places
from tests.strangers.producing import create_topics, send

CHUNK = 500
# How often, during how many flows of four events.
SIZES = [
    pytest.param(3, 2_000, id="three", marks=pytest.mark.slow),
    pytest.param(50, 50_000, id="fifty", marks=pytest.mark.long),
]
# What a rebuild must make again, by content: surrogate numbers aside.
FLOW_ROWS = (
    "SELECT correlation_id, state, marks, events, records, started_ms, last_ms, duration_us, strip"
    " FROM tracing_flow ORDER BY correlation_id"
)


class Victims:
    """A product whose ingestors are killed at random, and what its database holds."""

    def __init__(
        self, product: Product, database: str, names: list[str], topics: list[str]
    ) -> None:
        """Take the ingestors by name."""
        self.product = product
        self.topics = topics
        self.names = names
        self._database = database

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Return the answer to a query."""
        if self._database.startswith("postgres"):
            with psycopg.connect(self._database) as connection:
                return connection.execute(question).fetchall()
        file = self._database.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file, timeout=30)) as connection:
            return connection.execute(question).fetchall()

    def count(self) -> int:
        """Return how many records are stored."""
        return stored_count(self.rows)

    def wait_for(self, least: int) -> None:
        """Wait until so many records are stored."""
        self.product.wait_for(lambda: self.count() >= least, f"{least} records", within_s=300)

    def kill(self, name: str) -> None:
        """Kill an ingestor and start another in its place."""
        victim = self.product.processes[name]
        victim.send(signal.SIGKILL)
        victim.wait()
        self.product.start(name, *MANAGE, "ingest")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def victims(request: pytest.FixtureRequest, apache: str, tmp_path: Path) -> Iterator[Victims]:
    """Yield a product with one ingestor on SQLite, or two that share on Postgres."""
    if request.param == "sqlite":
        database = f"sqlite:///{tmp_path / 'kills.sqlite3'}"
        with killing(apache, tmp_path, database, ["ingest"]) as found:
            yield found
        return
    with postgres() as url, killing(apache, tmp_path, url, ["ingest", "second"]) as found:
        yield found


@contextmanager
def killing(broker: str, folder: Path, database: str, names: list[str]) -> Iterator[Victims]:
    """Run a product with ingestors of these names on topics of its own."""
    prefix = f"kills-{uuid.uuid4().hex[:6]}"
    wanted = {"EVENTVIZ_KAFKA_TOPICS": f"{prefix}-*", "EVENTVIZ_KAFKA_GROUP": prefix}
    with running_product(folder, broker, database=database, env=wanted) as product:
        for name in names[1:]:
            product.start(name, *MANAGE, "ingest")
        yield Victims(product, database, names, [f"{prefix}-orders", f"{prefix}-payments"])


@pytest.mark.parametrize(("kills", "flows"), SIZES)
def test_kills_lose_and_double_nothing(victims: Victims, kills: int, flows: int) -> None:
    chance = random.Random(7)
    topics = victims.topics
    create_topics(victims.product.broker, topics)
    produced: list[tuple[str, int, int]] = []

    def produce() -> None:
        for first in range(0, flows, CHUNK):
            produced.extend(send(victims.product.broker, records(topics, first, first + CHUNK)))

    total = flows * len(TYPES)
    producer = threading.Thread(target=produce)
    producer.start()
    for kill in range(1, kills + 1):
        victims.wait_for(kill * total // (kills + 5))
        victims.kill(chance.choice(victims.names))
    producer.join()
    victims.wait_for(total)

    assert len(produced) == total
    assert sorted(stored_places(victims.rows)) == sorted(produced)
    check_events(victims.rows, total)
    before = victims.rows(FLOW_ROWS)
    assert len(before) == flows
    victims.product.processes["ingest"].end()
    assert victims.product.manage("rebuild").wait(900) == 0
    assert victims.rows(FLOW_ROWS) == before
