"""What a reader waits for over HTTP while the ingestor is at work: a flow, an order's search."""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.benchmarks.latency import percentiles
from tests.benchmarks.paced import paced
from tests.benchmarks.workload import Content
from tests.servers.processes import ServerError
from tests.servers.product import running_product
from tests.servers.zipkin import Zipkin

SECONDS = 20
WARM = 30
# The pages of one reader: not faster than a person with a script.
BETWEEN_S = 0.01
Ids = list[tuple[str, str, str]]


def measure(folder: Path, content: Content, database: str, *, rate: float) -> dict[str, Any]:
    """Return percentiles in ms of each query while `rate` events a second come in."""
    topic = content.topic(spans=False)
    env = {
        "EVENTVIZ_KAFKA_TOPICS": topic,
        "EVENTVIZ_KAFKA_GROUP": f"reads-{time.monotonic_ns()}",
    }
    with running_product(folder, content.broker, database=database, env=env) as product:
        with paced(content.broker, topic, rate=rate, seconds=SECONDS + 5) as producer:
            before = _position(product.json)
            producer.go()
            found = _ask(product.port, _ours(content.ids), seconds=SECONDS)
            sent = producer.sent()
        product.wait_for(lambda: _position(product.json) >= before + sent, "all of them stored")
        return {"rate": rate, "sent": sent, "stored_before": before, "ms": found}


def measure_zipkin(server: Zipkin, stored: Ids, *, seconds: float) -> dict[str, Any]:
    """Return percentiles in ms of the same questions, put to a Zipkin that does nothing else."""

    def trace(ids: tuple[str, str, str]) -> str:
        return f"/api/v2/trace/{ids[0].replace('-', '')}"

    def by_tag(ids: tuple[str, str, str]) -> str:
        # All of time: the spans' own is not now.
        window = f"endTs={2_000_000_000_000}&lookback={2_000_000_000_000}"
        return f"/api/v2/traces?annotationQuery={quote('orderId=' + ids[1])}&{window}&limit=10"

    return _ask(server.port, _mixed(stored, {"flow": trace, "order": by_tag}), seconds=seconds)


def _ours(stored: Ids) -> Iterator[tuple[str, str]]:
    return _mixed(
        stored,
        {
            "flow": lambda ids: f"/api/flows/{ids[0]}",
            "flow page": lambda ids: f"/flows/{ids[0]}",
            # An order has one flow here: the answer is the way there. A customer has a list.
            "order": lambda ids: f"/search/?q={quote(ids[1])}",
            "customer": lambda ids: f"/search/?q={quote(ids[2])}",
        },
    )


def _mixed(
    stored: Ids, kinds: dict[str, Callable[[tuple[str, str, str]], str]]
) -> Iterator[tuple[str, str]]:
    dice = random.Random(5)
    while True:
        for kind, address in kinds.items():
            yield kind, address(dice.choice(stored))


def _ask(port: int, questions: Iterator[tuple[str, str]], *, seconds: float) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    samples: dict[str, list[float]] = {}
    until = time.monotonic() + seconds
    asked = 0
    while time.monotonic() < until or asked < WARM * 2:
        kind, path = next(questions)
        begun = time.monotonic()
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        took_ms = (time.monotonic() - begun) * 1000
        if answer.status not in {200, 302}:
            raise ServerError(f"{path}: {answer.status}")
        asked += 1
        if asked > WARM:
            samples.setdefault(kind, []).append(took_ms)
        time.sleep(BETWEEN_S)
    connection.close()
    return {kind: percentiles(values) for kind, values in samples.items()}


def _position(ask: Callable[[str], Any]) -> int:
    return int(ask("/api/flows?limit=1")["position"])


def opened_ms(port: int, path: str) -> float:
    """Return ms from a new connection to a page's last byte."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 200
    return (time.perf_counter() - began) * 1_000
