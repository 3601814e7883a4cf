"""A broker that dies and comes back, and an ingestor that is told to end: nothing is lost."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.servers.apache import Apache, apache_node
from tests.servers.product import Product, running_product
from tests.servers.stored import stored_count, stored_events
from tests.strangers.producing import Sent, create_topics, envelope, send

pytestmark = [pytest.mark.slow, pytest.mark.apache]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Apache]:
    """Yield a broker that the test may kill and start again."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with apache_node(folder) as running:
        yield running


@pytest.fixture
def product(node: Apache, tmp_path: Path) -> Iterator[Product]:
    """Yield a product on that broker, with SQLite."""
    create_topics(node.address(), ["orders"])
    with running_product(tmp_path, node.address()) as running:
        yield running


def produce(node: Apache, first: int, last: int) -> None:
    send(
        node.address(),
        [
            Sent("orders", envelope("OrderPlaced", correlation_id=f"flow-{number % 50}"))
            for number in range(first, last)
        ],
    )


def stored(product: Product) -> tuple[int, int]:
    """Return how many records and events the database holds."""
    file = product.env["EVENTVIZ_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, timeout=10)) as opened:

        def rows(question: str) -> list[tuple[Any, ...]]:
            return opened.execute(question).fetchall()

        return stored_count(rows), len(stored_events(rows))


def test_a_broker_that_is_killed_is_said_and_waited_for_and_nothing_is_lost(
    node: Apache, product: Product
) -> None:
    produce(node, 0, 1_000)
    product.wait_for(lambda: stored(product)[0] > 0, "a first record")
    assert node.process
    node.process.send(signal.SIGKILL)
    node.process.wait()

    product.wait_for(
        lambda: "The broker does not answer" in product.get("/flows/")[1],
        "the page says that the broker is away",
    )
    node.start()
    produce(node, 1_000, 1_500)

    product.wait_for(lambda: stored(product) == (1_500, 1_500), "all records")
    # The page follows the ingestor's report, which is written every now and then.
    product.wait_for(
        lambda: "The broker does not answer" not in product.get("/flows/")[1], "all is well"
    )


def test_an_ingestor_ends_within_ten_seconds_while_batches_flow(
    node: Apache, product: Product
) -> None:
    producer = threading.Thread(target=produce, args=(node, 0, 20_000))
    producer.start()
    product.wait_for(lambda: stored(product)[0] > 500, "some records")

    ingest = product.processes["ingest"]
    began = time.monotonic()
    ingest.send(signal.SIGTERM)

    assert ingest.wait(15) == 0
    assert time.monotonic() - began < 10
    producer.join()
    product.manage("ingest")
    product.wait_for(lambda: stored(product) == (20_000, 20_000), "all records", within_s=120)
