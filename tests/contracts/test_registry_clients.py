"""Serializers of strangers use the built-in registry unchanged, and their events are decoded."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.servers.processes import ROOT
from tests.servers.product import Product
from tests.strangers.producing import create_topics

pytestmark = pytest.mark.slow


def new_topic(product: Product, form: str) -> str:
    topic = f"{form}-{uuid.uuid4().hex[:6]}"
    create_topics(product.broker, [topic], partitions=1)
    return topic


@pytest.mark.parametrize("form", ["avro", "plain-avro", "json"])
def test_confluents_serializers_for_python(product: Product, form: str) -> None:
    topic = new_topic(product, form)
    command = [sys.executable, "-m", "tests.strangers.registered", product.broker]
    done = subprocess.run(
        [*command, f"{product.url}/registry", topic, form],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sent = json.loads(done.stdout)

    product.wait_for_flow(sent["flow"], events=2)

    event = product.json(f"/api/events/{sent['paid']}")
    assert (event["type"], event["payload"]["orderId"]) == ("PaymentProcessed", "ORD-77")
    assert event["payload"]["amount"] in {"59.90", 59.9}
    assert product.json(f"/registry/subjects/{topic}-value/versions") == [1]
    status, page = product.get(f"/flows/{sent['flow']}?event={sent['paid']}")
    assert (status, "ORD-77" in page) == (200, True)


def test_the_registry_client_of_kafkajs(product: Product, kafkajs: Path) -> None:
    topic = new_topic(product, "kafkajs")
    done = subprocess.run(
        ["node", "registered.js", product.broker, f"{product.url}/registry", topic],
        cwd=kafkajs,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sent = json.loads(done.stdout)

    product.wait_for_flow(sent["eventId"], events=1)

    event = product.json(f"/api/events/{sent['eventId']}")
    assert (event["type"], event["payload"]) == ("OrderPlaced", {"orderId": "ORD-9"})
