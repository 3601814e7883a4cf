"""A group of dead letters is retried at a rate while its worker is killed again and again."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.servers.embedded import embedded_broker
from tests.servers.processes import Process, can_connect, free_port, wait_for
from tests.servers.product import Product, running_product
from tracing.domain.failure import group_key
from tracing.kafka.embedded import broker_command
from tracing.kafka.producer import Producer, ensure_topics

pytestmark = pytest.mark.broker
RATE = 500
ENV = {"EVENTVIZ_RETRY_CONFIRM_S": "5"}


class Retried:
    """A product with dead letters, and what its database says of their retry."""

    def __init__(self, product: Product, count: int) -> None:
        """Send the dead letters and wait until all are stored."""
        self.product = product
        self.count = count
        ensure_topics([product.broker], {"orders": 3, "orders.dlq": 3})
        producer = Producer([product.broker], client_id="test")
        for number in range(count):
            body = {
                "eventId": f"e-{number}",
                "eventType": "OrderPlaced",
                "correlationId": f"o-{number}",
            }
            headers = [
                ("kafka_dlt-original-topic", b"orders"),
                ("kafka_dlt-exception-fqcn", b"com.acme.NoStock"),
            ]
            producer.send("orders.dlq", str(number).encode(), json.dumps(body).encode(), headers)
        producer.flush(60)
        producer.close()
        self.wait(lambda: self.one("SELECT count(*) FROM tracing_deadletter") == count, "letters")

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Return the answer to a query."""
        file = self.product.env["EVENTVIZ_DATABASE_URL"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(file, timeout=30)) as connection:
            return connection.execute(question).fetchall()

    def one(self, question: str) -> int:
        """Return the one number of a query."""
        return int(self.rows(question)[0][0])

    def wait(self, look: Any, what: str, within_s: float = 120) -> Any:
        """Wait for something of the product."""
        return self.product.wait_for(look, what, within_s=within_s)

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """Ask the API."""
        request = urllib.request.Request(
            self.product.url + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def start(self) -> str:
        """Retry the group; return the run."""
        group = self.one("SELECT id FROM tracing_deadlettergroup")
        body = {"group": group_key(group), "reason": "a test", "rate_per_s": RATE}
        return str(self.post("/api/retries", body)["id"])

    def sent(self) -> int:
        """Return how many items were acknowledged so far."""
        return self.one("SELECT count(*) FROM tracing_retryitem WHERE sent_at IS NOT NULL")

    def arrived(self) -> list[tuple[Any, ...]]:
        """Return how often each message is stored, once each of them is."""
        question = "SELECT retry_hash, count(*) FROM tracing_retriedrecord GROUP BY 1"

        def look() -> list[tuple[Any, ...]] | None:
            found = self.rows(question)
            return found if len(found) >= self.count else None

        found: list[tuple[Any, ...]] = self.wait(look, "every message on its topic")
        assert len(found) == self.count
        return found

    def work(self) -> int:
        """Start the worker; return its process id."""
        return self.product.manage("work").popen.pid


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """Return a product with a broker of its own."""
    with (
        embedded_broker(tmp_path) as address,
        running_product(tmp_path, address, env=ENV) as running,
    ):
        yield running


def memory_kb(pid: int) -> int:
    """Return the resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@pytest.mark.parametrize(
    ("count", "kills"),
    [
        pytest.param(600, 1, marks=pytest.mark.slow, id="short"),
        pytest.param(20_000, 10, marks=pytest.mark.long, id="whole"),
    ],
)
def test_a_worker_that_is_killed_leaves_nothing_unsent(
    product: Product, count: int, kills: int
) -> None:
    retried = Retried(product, count)
    retried.work()
    run = retried.start()
    for kill in range(kills):
        # Anywhere: the sooner of a share of the work and some seconds decides.
        goal = min(retried.sent() + random.Random(kill).randint(1, count // (kills + 1)), count)
        retried.wait(lambda goal=goal: retried.sent() >= goal, f"{goal} sent")
        product.processes["work"].send(signal.SIGKILL)
        product.processes["work"].wait()
        retried.work()

    retried.wait(
        lambda: product.json(f"/api/retries/{run}")["state"] == "done", "the end", within_s=300
    )

    found = product.json(f"/api/retries/{run}")
    assert (found["planned"], found["sent"], found["skipped"]) == (count, count, 0)
    # Every message is on its topic, at least once, and twice only where there was a doubt. A run
    # ends without having seen what the ingestor has not read yet.
    arrived = retried.arrived()
    doubted = retried.one("SELECT count(*) FROM tracing_retryitem WHERE doubted_at IS NOT NULL")
    assert sum(times - 1 for _, times in arrived) <= doubted
    left = "SELECT count(*) FROM tracing_retryitem WHERE state IN ('pending', 'sending', 'sent')"
    assert retried.one(left) == 0
    audit = retried.rows("SELECT who, what FROM tracing_auditentry ORDER BY id")
    assert audit == [("demo", "retry"), ("eventviz", "retry ended")]


@pytest.mark.long
@pytest.mark.timed
def test_it_holds_its_rate_and_its_memory_and_stops_within_a_second(
    product: Product, record_property: Any
) -> None:
    retried = Retried(product, 20_000)
    pid = retried.work()
    run = retried.start()
    retried.wait(lambda: retried.sent() >= 4_000, "4,000 sent")
    began, first, memory = time.monotonic(), retried.sent(), memory_kb(pid)
    retried.wait(lambda: retried.sent() >= 16_000, "16,000 sent")
    rate = (retried.sent() - first) / (time.monotonic() - began)
    grown = memory_kb(pid) - memory

    retried.post(f"/api/retries/{run}/cancel", {})
    at_cancel = time.monotonic()
    counts: list[int] = []

    def still() -> bool:
        counts.append(retried.sent())
        return len(counts) > 10 and counts[-1] == counts[-10]

    wait_for(still, "no more sending", within_s=10)
    stopped_s = time.monotonic() - at_cancel

    record_property("measured", f"{rate:.0f} a second of {RATE}, {grown:,} kB more memory")
    record_property("measured", f"cancelled: still after {stopped_s:.2f} s")
    assert abs(rate - RATE) <= RATE / 10
    assert grown < 30_000
    assert counts[-1] < 20_000


@pytest.mark.long
def test_a_broker_that_falls_silent_is_waited_for(tmp_path: Path) -> None:
    port, count = free_port(), 3_000
    address, log = f"127.0.0.1:{port}", tmp_path / "broker.log"
    with (
        Process("broker", broker_command(port), log) as broker,
        running_product(tmp_path, address, env=ENV) as product,
    ):
        broker.wait_until(lambda: can_connect(port), "listen")
        retried = Retried(product, count)
        retried.work()
        run = retried.start()
        retried.wait(lambda: retried.sent() > 300, "300 sent")

        broker.freeze()
        said = "SELECT error FROM tracing_retryrun"
        retried.wait(lambda: "Trying again" in retried.rows(said)[0][0], "it says so")
        assert retried.sent() < count
        broker.thaw()

        retried.wait(
            lambda: product.json(f"/api/retries/{run}")["state"] == "done", "the end", within_s=120
        )
        found = product.json(f"/api/retries/{run}")
        assert (found["sent"], found["skipped"], found["error"]) == (count, 0, None)
        arrived = retried.arrived()
        doubted = retried.one("SELECT count(*) FROM tracing_retryitem WHERE doubted_at IS NOT NULL")
        assert sum(times - 1 for _, times in arrived) <= doubted
