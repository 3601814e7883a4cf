"""Apache Kafka's transactions and tombstones: what was aborted never happened."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

from tests.servers.product import Product, running_product
from tests.strangers.producing import Sent, create_topics, envelope, send

pytestmark = pytest.mark.slow

TOPIC = "transactions"


@pytest.fixture(scope="module")
def product(apache: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    create_topics(apache, [TOPIC], partitions=1)
    folder: Path = tmp_path_factory.mktemp("transactions")
    env = {"EVENTVIZ_KAFKA_TOPICS": TOPIC}
    with running_product(folder, apache, env=env) as running:
        yield running


def test_an_aborted_transaction_is_not_stored_and_does_not_stop_the_rest(
    product: Product,
) -> None:
    flow = str(uuid.uuid4())
    producer = KafkaProducer(bootstrap_servers=product.broker, transactional_id=flow)
    producer.init_transactions()
    for name, commit in (("Kept", True), ("Aborted", False), ("AlsoKept", True)):
        producer.begin_transaction()
        producer.send(TOPIC, value=envelope(name, correlation_id=flow)).get(30)
        if commit:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close()
    # Behind all of them, markers included.
    send(product.broker, [Sent(TOPIC, envelope("Last", correlation_id=flow))])

    found = product.wait_for_flow(flow, events=3)

    assert sorted(event["type"] for event in found["events"]) == ["AlsoKept", "Kept", "Last"]


def test_a_tombstone_is_an_event_without_payload(product: Product) -> None:
    key = f"ORD-{uuid.uuid4().hex[:6]}"
    headers = (("event-id", key.encode()), ("event-type", b"OrderRemoved"))

    send(product.broker, [Sent(TOPIC, None, key.encode(), headers)])

    product.wait_for_flow(key, events=1)
    event = product.json(f"/api/events/{key}")
    assert (event["type"], event["key"], event["payload"]) == ("OrderRemoved", key, None)
