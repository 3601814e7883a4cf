"""What other people's SDKs put on the wire is read as they mean it."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid

import pytest

from tests.servers.processes import ROOT
from tests.servers.product import Product
from tests.strangers.producing import create_topics

pytestmark = [pytest.mark.slow, pytest.mark.broker]


def send(stranger: str, *arguments: str) -> str:
    """Run a stranger as a process of its own; return what it says."""
    command = [sys.executable, "-m", f"tests.strangers.{stranger}", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_cloudevents_of_their_sdk_are_joined_in_both_modes(product: Product) -> None:
    topic, flow_id = "clouded", str(uuid.uuid4())
    create_topics(product.broker, [topic], partitions=1)

    placed, paid = json.loads(send("clouded", product.broker, topic, flow_id))

    flow = product.wait_for_flow(flow_id, events=2)
    assert [event["type"] for event in flow["events"]] == ["OrderPlaced", "PaymentProcessed"]
    assert [(edge["cause"], edge["effect"]) for edge in flow["edges"]] == [(placed, paid)]
    for event_id in (placed, paid):
        event = product.json(f"/api/events/{event_id}")
        assert (event["source"], event["payload"]) == ("/shop/orders", {"orderId": "ORD-88"})


def test_records_with_nothing_but_a_trace_are_joined_by_it(product: Product) -> None:
    create_topics(product.broker, ["traced"], partitions=1)

    trace_id = send("traced", product.broker, "traced").strip()

    flow = product.wait_for_flow(trace_id, events=2)
    assert {event["topic"] for event in flow["events"]} == {"traced"}
    assert {event["key"] for event in flow["events"]} == {"ORD-99"}
