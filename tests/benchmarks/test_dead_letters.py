"""How long the inbox takes to open over HTTP beside 20,000 dead letters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.reads import opened_ms
from tests.servers.embedded import embedded_broker
from tests.servers.product import Product, running_product
from tracing.kafka.producer import Producer

pytestmark = [pytest.mark.broker, pytest.mark.long]

MESSAGES = 20_000
# As many different causes as a bad day has, and many more.
GROUPS = 400
TIMES = 40


def test_the_inbox_opens_beside_many_dead_letters(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as broker, running_product(tmp_path, broker) as product:
        _die(broker)
        product.wait_for(lambda: _count(product) == MESSAGES, "all of them stored", within_s=120)
        groups = product.json("/api/dead-letters?limit=1")["groups"]
        pages = {
            "inbox": "/dead-letters/",
            "inbox by text": "/dead-letters/?q=cause+number",
            "group": f"/dead-letters/{groups[0]['id']}",
            "api": "/api/dead-letters",
        }
        for name, path in pages.items():
            took = sorted(opened_ms(product.port, path) for _ in range(TIMES))
            print(  # noqa: T201
                f"Measured: {name} beside {MESSAGES:,} dead letters in {GROUPS} groups:"
                f" median {took[TIMES // 2]:.1f} ms, p95 {took[int(TIMES * 0.95)]:.1f} ms"
            )


def _die(broker: str) -> None:
    producer = Producer([broker], client_id="test", linger_ms=20)
    letters = "abcdefghijklmnopqrst"
    waiting = []
    for number in range(MESSAGES):
        kind = number % GROUPS
        cause = letters[kind % 20] + letters[kind // 20]
        headers = (
            ("eventviz-failure-topic", b"orders"),
            ("eventviz-failure-consumer", b"payment"),
            ("eventviz-failure-exception", b"GatewayTimeout"),
            ("eventviz-failure-message", f"cause number {cause} after {number} ms".encode()),
            ("eventviz-failure-attempts", b"4"),
        )
        value = b'{"eventId": "e%d", "eventType": "OrderPlaced", "correlationId": "f%d"}'
        sent = producer.send("orders.dlq", b"k", value % (number, number), headers)
        waiting.append(sent)
    for sent in waiting:
        sent.coordinates(60)
    producer.close()


def _count(product: Product) -> int:
    total, cursor = 0, ""
    while cursor is not None:
        page = product.json(f"/api/dead-letters?limit=200&cursor={cursor}")
        total += sum(group["count"] for group in page["groups"])
        cursor = page["next"]
    return total
