"""Several ingestors of one group on Postgres and Apache Kafka share the partitions."""

from __future__ import annotations

import signal
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.servers.postgres import postgres
from tests.servers.processes import MANAGE
from tests.servers.product import Product, running_product
from tests.servers.stored import check_events, stored_count, stored_places
from tests.strangers.producing import Sent, create_topics, envelope, send

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

FLOWS = 2_000
TYPES = ["OrderPlaced", "StockReserved", "PaymentProcessed", "OrderCompleted"]


class Shared:
    """The product with two ingestors, and what its database holds."""

    def __init__(self, product: Product, url: str, prefix: str) -> None:
        """Read beside the product."""
        self.product = product
        self.topics = [f"{prefix}-orders", f"{prefix}-payments"]
        self._url = url

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Return the answer to a query."""
        with psycopg.connect(self._url) as connection:
            return connection.execute(question).fetchall()

    def wait_for(self, least: int) -> None:
        """Wait until so many records are stored."""
        self.product.wait_for(
            lambda: stored_count(self.rows) >= least, f"{least} records", within_s=90
        )

    def given(self) -> list[str]:
        """Return what the ingestors' logs say of the partitions that the group gave them."""
        return [
            line
            for process in self.product.processes.values()
            for line in process.log.read_text().splitlines()
            if "The group gave us" in line
        ]


@pytest.fixture
def shared(apache: str, tmp_path: Path) -> Iterator[Shared]:
    """Yield a product on a Postgres of its own whose second ingestor is called `second`.

    The broker is everybody's: topics and group are this test's alone.
    """
    prefix = f"shared-{uuid.uuid4().hex[:6]}"
    wanted = {"EVENTVIZ_KAFKA_TOPICS": f"{prefix}-*", "EVENTVIZ_KAFKA_GROUP": prefix}
    with (
        postgres() as url,
        running_product(tmp_path, apache, database=url, env=wanted) as product,
    ):
        found = Shared(product, url, prefix)
        create_topics(apache, found.topics)
        product.start("second", *MANAGE, "ingest")
        yield found


def records(topics: list[str], first: int, last: int) -> list[Sent]:
    """Return the records of some flows over both topics."""
    return [
        Sent(
            topics[place % 2],
            envelope(
                name,
                correlation_id=f"flow-{number}",
                event_id=f"{number}-{place}",
                causation_id=f"{number}-{place - 1}" if place else None,
                payload={"orderId": f"ORD-{number}"},
            ),
            f"ORD-{number}".encode(),
        )
        for number in range(first, last)
        for place, name in enumerate(TYPES)
    ]


def test_two_ingestors_share_a_topic_and_one_that_dies_is_replaced(shared: Shared) -> None:
    produced: list[tuple[str, int, int]] = []

    def produce() -> None:
        for first in range(0, FLOWS, 100):
            produced.extend(send(shared.product.broker, records(shared.topics, first, first + 100)))

    shared.product.wait_for(
        lambda: any("gave us 3 partitions" in line for line in shared.given()),
        "half of the partitions for each",
    )
    producer = threading.Thread(target=produce)
    producer.start()
    shared.wait_for(1_000)
    shared.product.processes["second"].send(signal.SIGKILL)
    producer.join()

    total = FLOWS * len(TYPES)
    shared.wait_for(total)

    stored = stored_places(shared.rows)
    assert len(stored) == total
    assert set(stored) == set(produced)
    assert shared.rows("SELECT count(*), min(events), max(events) FROM tracing_flow") == [
        (FLOWS, len(TYPES), len(TYPES))
    ]
    check_events(shared.rows, total)
    assert shared.rows("SELECT sum(flows) FROM tracing_flowcount") == [(FLOWS,)]


def test_an_ingestor_frozen_past_its_session_and_thawed_doubles_nothing(shared: Shared) -> None:
    produced: list[tuple[str, int, int]] = []
    shared.product.wait_for(
        lambda: any("gave us 3 partitions" in line for line in shared.given()),
        "half of the partitions for each",
    )
    second = shared.product.processes["second"]
    produced.extend(send(shared.product.broker, records(shared.topics, 0, 200)))
    shared.wait_for(100)
    second.freeze()
    try:
        produced.extend(send(shared.product.broker, records(shared.topics, 200, 600)))
        # The group gives its partitions to the other one, which then has everything.
        shared.wait_for(len(produced))
    finally:
        second.thaw()
    produced.extend(send(shared.product.broker, records(shared.topics, 600, 800)))
    shared.wait_for(len(produced))

    assert stored_count(shared.rows) == len(produced)
    check_events(shared.rows, len(produced))
    assert shared.rows("SELECT count(*), min(events), max(events) FROM tracing_flow") == [
        (800, len(TYPES), len(TYPES))
    ]
