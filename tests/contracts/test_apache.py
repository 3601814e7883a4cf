"""Apache Kafka instead of the embedded broker, by environment variables alone."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.servers.product import Product, running_product
from tests.strangers.producing import Sent, create_topics, envelope, send

TOPICS = ["orders-eu", "orders-us", "payments", "secret"]
# A name and a pattern; what neither names is not read.
WANTED = {"EVENTVIZ_KAFKA_TOPICS": "orders-*,payments"}
FLOW = f"flow-{uuid.uuid4()}"


def order() -> list[Sent]:
    """Return an order over three topics, the same bytes whenever it is asked for."""
    now_ms = int(time.time() * 1000)

    def event(topic: str, number: int, name: str, service: str, **more: Any) -> Sent:
        value = envelope(
            name,
            correlation_id=FLOW,
            event_id=f"event-{number}",
            causation_id=f"event-{number - 1}" if number else None,
            timestamp=now_ms + number * 100,
            payload={"orderId": "ORD-1", **more},
        )
        headers = (("source", service.encode()), ("event-type", name.encode()))
        return Sent(topic, value, b"ORD-1", headers, now_ms + number * 100)

    return [
        event("orders-eu", 0, "OrderPlaced", "order"),
        event("orders-us", 1, "StockReserved", "inventory"),
        event("payments", 2, "PaymentFailed", "payment", reason="The card was declined"),
        event("orders-eu", 3, "OrderCancelled", "order"),
        Sent("secret", envelope("Hidden", correlation_id=FLOW), b"ORD-1", (), now_ms),
    ]


@pytest.fixture(scope="module")
def both(
    apache: str, broker: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Product, Product]]:
    """Yield a product on Apache Kafka and one on the embedded broker, given the same records."""
    records = order()
    products = []
    with ExitStack() as stack:
        for name, address in (("apache", apache), ("embedded", broker)):
            create_topics(address, TOPICS)
            folder: Path = tmp_path_factory.mktemp(name)
            product = stack.enter_context(running_product(folder, address, env=WANTED))
            send(address, records)
            products.append(product)
        yield products[0], products[1]


def without_positions(data: Any) -> Any:
    """Return JSON without the positions: they tell in which order the topics were read."""
    if isinstance(data, list):
        return [without_positions(item) for item in data]
    if isinstance(data, dict):
        return {
            name: without_positions(value) for name, value in data.items() if name != "position"
        }
    return data


@pytest.mark.slow
def test_apache_kafka_shows_the_same_flow_as_the_embedded_broker(
    both: tuple[Product, Product],
) -> None:
    flows = [without_positions(product.wait_for_flow(FLOW, events=4)) for product in both]

    assert flows[0] == flows[1]
    assert [event["type"] for event in flows[0]["events"]] == [
        "OrderPlaced",
        "StockReserved",
        "PaymentFailed",
        "OrderCancelled",
    ]
    events = [without_positions(product.json("/api/events/event-2")) for product in both]
    assert events[0] == events[1]


@pytest.mark.slow
def test_the_page_shows_apache_kafkas_flow_and_no_topic_that_was_not_asked_for(
    both: tuple[Product, Product],
) -> None:
    product = both[0]
    product.wait_for_flow(FLOW, events=4)

    status, html = product.get(f"/flows/{quote(FLOW)}")

    assert status == 200
    assert "The card was declined" in html
    topics = {event["topic"] for event in product.events()}
    assert topics >= {"orders-eu", "orders-us", "payments"}
    assert "secret" not in topics


@pytest.mark.slow
def test_a_topic_made_later_on_apache_kafka_is_read_from_its_beginning(
    both: tuple[Product, Product], apache: str
) -> None:
    flow = f"later-{uuid.uuid4()}"
    create_topics(apache, ["orders-later"])

    send(apache, [Sent("orders-later", envelope("OrderPlaced", correlation_id=flow))])

    assert both[0].wait_for_flow(flow, events=1)["events"][0]["offset"] == 0
