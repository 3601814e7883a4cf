"""Records of a schema registry's clients are read, whenever the registry answers."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.forward import forward
from tests.servers.processes import ROOT, free_port
from tests.servers.product import Product, running_product
from tests.strangers.producing import create_topics

pytestmark = pytest.mark.slow

WAITS = "is not known yet; it is decoded as soon as the registry answers."


@pytest.fixture(scope="module")
def door() -> int:
    """Return the port where the product looks for the registry: nobody listens at first."""
    return free_port()


@pytest.fixture(scope="module")
def product(broker: str, door: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder: Path = tmp_path_factory.mktemp("formats")
    env = {"EVENTVIZ_SCHEMA_REGISTRY_URL": f"http://127.0.0.1:{door}/apis/ccompat/v7"}
    with running_product(folder, broker, env=env) as running:
        running.manage("work")
        yield running


def send(product: Product, registry: str, form: str) -> tuple[str, dict[str, str]]:
    """Let the stranger send an order on a new topic; return the topic and what it says of it."""
    topic = f"{form}-{uuid.uuid4().hex[:6]}"
    create_topics(product.broker, [topic], partitions=1)
    command = [sys.executable, "-m", "tests.strangers.registered"]
    done = subprocess.run(
        [*command, product.broker, registry, topic, form],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sent: dict[str, str] = json.loads(done.stdout)
    return topic, sent


def of_topic(product: Product, topic: str) -> list[dict[str, Any]]:
    return [event for event in product.events() if event["topic"] == topic]


def test_avro_that_arrives_before_the_registry_answers_is_decoded_by_itself(
    product: Product, apicurio: str, door: int
) -> None:
    topic, sent = send(product, apicurio, "avro")
    product.wait_for(lambda: len(of_topic(product, topic)) == 2, "two placeholders")
    waiting = of_topic(product, topic)
    assert all(WAITS in event["error"] for event in waiting)

    with forward(door, int(apicurio.split(":")[2].split("/")[0])):
        flow = product.wait_for_flow(sent["flow"], events=2)

    assert [event["type"] for event in flow["events"]] == ["OrderPlaced", "PaymentProcessed"]
    assert [(edge["cause"], edge["effect"]) for edge in flow["edges"]] == [
        (sent["placed"], sent["paid"])
    ]
    event = product.json(f"/api/events/{sent['placed']}")
    assert event["payload"]["amount"] == "59.90"
    assert event["payload"]["placedAt"].endswith("Z")
    # The placeholders are gone: from the events, and from the flows.
    assert sorted(one["event_id"] for one in of_topic(product, topic)) == sorted(
        [sent["placed"], sent["paid"]]
    )
    assert sent["flow"] in {one["correlation_id"] for one in product.json("/api/flows")["flows"]}
    assert product.flow(f"{topic}[0]@0") is None
    # What is known needs no registry any more.
    _, again = send(product, apicurio, "avro")
    product.wait_for_flow(again["flow"], events=2)


def test_json_schema_needs_no_registry(product: Product, apicurio: str) -> None:
    _, sent = send(product, apicurio, "json")

    product.wait_for_flow(sent["flow"], events=2)

    assert product.json(f"/api/events/{sent['paid']}")["payload"]["orderId"] == "ORD-77"


def test_an_avro_payload_is_joined_by_its_headers(
    product: Product, apicurio: str, door: int
) -> None:
    with forward(door, int(apicurio.split(":")[2].split("/")[0])):
        _, sent = send(product, apicurio, "plain-avro")

        flow = product.wait_for_flow(sent["flow"], events=2)

    event = product.json(f"/api/events/{sent['placed']}")
    assert (event["payload"]["amount"], event["type"]) == ("59.90", "OrderPlaced")
    assert [edge["cause"] for edge in flow["edges"]] == [sent["placed"]]
