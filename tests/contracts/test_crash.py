"""An ingestor that dies in mid-stream loses and doubles nothing."""

from __future__ import annotations

import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.servers.embedded import embedded_broker
from tests.servers.product import Product, running_product
from tests.servers.stored import check_events, stored_count, stored_places
from tests.strangers.producing import Sent, create_topics, envelope, send

TOPICS = ["orders", "payments"]
FLOWS = 1_500
TYPES = ["OrderPlaced", "StockReserved", "PaymentProcessed", "OrderCompleted"]
KILLS = 4
FIRST_OF_BATCH = range(0, FLOWS, 100)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Product]:
    """Yield a product that nobody else uses, on either database."""
    database = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with embedded_broker(tmp_path) as address:
        create_topics(address, TOPICS)
        with running_product(tmp_path, address, database=database) as product:
            yield product


def flow(number: int) -> list[Sent]:
    """Return one flow's records over both topics."""
    records = []
    for place, name in enumerate(TYPES):
        value = envelope(
            name,
            correlation_id=f"flow-{number}",
            event_id=f"{number}-{place}",
            causation_id=f"{number}-{place - 1}" if place else None,
            payload={"orderId": f"ORD-{number}"},
        )
        records.append(Sent(TOPICS[place % 2], value, f"ORD-{number}".encode()))
    return records


class Store:
    """What the product's database holds, read beside it."""

    def __init__(self, product: Product) -> None:
        """Open the same database."""
        self.product = product
        self.url = product.env["EVENTVIZ_DATABASE_URL"]

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Return the answer to a query."""
        if self.url.startswith("postgres"):
            with psycopg.connect(self.url) as connection:
                return connection.execute(question).fetchall()
        file = self.url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file, timeout=10)) as opened:
            return opened.execute(question).fetchall()

    def count(self) -> int:
        """Return how many records are stored."""
        return stored_count(self.rows)

    def wait_for(self, least: int) -> None:
        """Wait until it holds that many records."""
        self.product.wait_for(lambda: self.count() >= least, f"{least} records")


@pytest.mark.slow
@pytest.mark.broker
def test_an_ingestor_killed_in_mid_stream_loses_and_doubles_nothing(fresh: Product) -> None:
    store = Store(fresh)
    produced: list[tuple[str, int, int]] = []

    def produce() -> None:
        for first in FIRST_OF_BATCH:
            batch = [record for number in range(first, first + 100) for record in flow(number)]
            produced.extend(send(fresh.broker, batch))

    producer = threading.Thread(target=produce)
    producer.start()
    for kill in range(1, KILLS + 1):
        least = kill * FLOWS * len(TYPES) // (KILLS + 2)
        store.wait_for(least)
        victim = fresh.processes["ingest"]
        victim.send(signal.SIGKILL)
        assert victim.wait() == -signal.SIGKILL
        fresh.manage("ingest")
    producer.join()
    total = FLOWS * len(TYPES)
    store.wait_for(total)

    stored = set(stored_places(store.rows))
    assert len(produced) == total
    assert stored == set(produced)
    assert store.count() == total
    # The read models agree with the log: each event once, each flow whole and done.
    check_events(store.rows, total)
    assert store.rows("SELECT count(*), min(events), max(events) FROM tracing_flow") == [
        (FLOWS, len(TYPES), len(TYPES))
    ]
    assert store.rows("SELECT sum(flows) FROM tracing_flowcount") == [(FLOWS,)]
    first = fresh.json("/api/flows/flow-0")
    assert {event["type"] for event in first["events"]} == set(TYPES)
    assert len(first["edges"]) == len(TYPES) - 1
