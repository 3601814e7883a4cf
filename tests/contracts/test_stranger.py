"""A producer that knows nothing of eventviz shows up by itself, at once."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.servers.product import Product

TYPES = ["OrderPlaced", "StockReserved", "PaymentProcessed", "ShipmentCreated", "OrderCompleted"]
# The goal is a second, which `make bench` judges. Here it may take three: a quiet machine needs
# half of one, and a machine where other programs run too is no defect.
LIMIT_MS = 3_000


def sell(folder: Path, product: Product, topic: str) -> list[dict[str, str]]:
    """Let the stranger send an order and its effects; return its acknowledged events."""
    order = f"ORD-{uuid.uuid4().hex[:6]}"
    command = ["node", "shop.js", product.broker, topic, order]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def show(folder: Path, product: Product) -> float:
    """Let the stranger sell on a topic of its own; return the ms from its last ack to the page."""
    topic = f"stranger-{uuid.uuid4().hex[:6]}"

    sent = sell(folder, product, topic)

    flow_id = sent[0]["correlationId"]
    flow = product.wait_for_flow(flow_id, events=len(TYPES))
    status, html = product.get(f"/flows/{quote(flow_id, safe='')}")
    shown_ms = time.time() * 1000 - float(sent[-1]["ackedMs"])
    assert status == 200
    assert [name for name in TYPES if name not in html] == []
    assert [event["type"] for event in flow["events"]] == TYPES
    assert {event["topic"] for event in flow["events"]} == {topic}
    assert [(edge["cause"], edge["effect"]) for edge in flow["edges"]] == [
        (cause["eventId"], effect["eventId"]) for cause, effect in pairwise(sent)
    ]
    return shown_ms


@pytest.mark.slow
@pytest.mark.timed
def test_a_kafkajs_producer_on_a_new_topic_is_on_the_page_at_once(
    kafkajs: Path, product: Product, record_property: Callable[[str, object], None]
) -> None:
    shown = sorted(show(kafkajs, product) for _ in range(3))

    said = ", ".join(f"{ms:.0f}" for ms in shown)
    record_property("measured", f"kafkajs, from the last ack to the page: {said} ms")
    # The median: what else the machine does at one moment says nothing about us.
    assert shown[1] < LIMIT_MS


@pytest.mark.slow
def test_the_strangers_order_is_in_the_list_and_found_by_its_key(
    kafkajs: Path, product: Product
) -> None:
    sent = sell(kafkajs, product, "stranger-orders")

    flow_id = sent[0]["correlationId"]
    flow = product.wait_for_flow(flow_id, events=len(TYPES))
    key = flow["events"][0]["key"]
    found, page = product.get(f"/search/?q={quote(key)}")
    _, flows = product.get("/flows/")
    assert found == 200
    assert key in page
    assert flow_id in flows
