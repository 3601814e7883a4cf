"""The orchestrator is killed in the middle of its sagas: every one ends, nothing is done twice."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from eventviz.telemetry import tracer_of
from tests.servers.embedded import embedded_broker
from tests.servers.processes import MANAGE
from tests.servers.product import Product, running_product
from tracing.demo.events import PARTITIONS
from tracing.demo.orders import SOURCE, place_order
from tracing.demo.publishing import Publisher
from tracing.demo.scenarios import Pattern, Scenario
from tracing.kafka.producer import Producer, ensure_topics

pytestmark = [pytest.mark.slow, pytest.mark.broker]

BY = Pattern.ORCHESTRATION
# How many messages each story has.
STORIES = {Scenario.FINE: 8, Scenario.PAYMENT_DECLINED: 9, Scenario.SHIPMENT_FAILED: 13}
ENDS = {"OrderCompleted", "OrderCancelled"}


def events(product: Product) -> list[dict[str, Any]]:
    """Return the orchestrated shop's events."""
    return [event for event in product.events() if event["topic"].startswith("saga.")]


def kill(product: Product, once: int) -> None:
    """Kill the orchestrator when so many events are stored, and start it again."""
    product.wait_for(lambda: len(events(product)) >= once, f"{once} events", within_s=60)
    victim = product.processes["orchestrator"]
    victim.send(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    # Nothing is called done before it is.
    for flow in product.json("/api/flows?limit=200")["flows"]:
        if flow["state"] == "done":
            assert "OrderCompleted" in {named["type"] for named in flow["types"]}
    start_orchestrator(product)


def start_orchestrator(product: Product) -> None:
    """Start it in a process of its own."""
    product.start("orchestrator", *MANAGE, "shop", "--only", "orchestrator")


@pytest.mark.parametrize(
    ("sagas", "kills"), [(15, 1), pytest.param(100, 5, marks=pytest.mark.long)]
)
def test_every_saga_ends_though_the_orchestrator_is_killed(
    tmp_path: Path, sagas: int, kills: int
) -> None:
    scenarios = [list(STORIES)[number % len(STORIES)] for number in range(sagas)]
    total = sum(STORIES[scenario] for scenario in scenarios)
    env = {"DEMO_RATE": "0"}
    with (
        embedded_broker(tmp_path) as address,
        running_product(tmp_path, address, env=env) as product,
    ):
        ensure_topics([address], PARTITIONS)
        product.manage("shop", "--only", "services")
        start_orchestrator(product)
        producer = Producer([address], client_id="test")
        customers = Publisher(producer, source=SOURCE, tracer=tracer_of(SOURCE))
        flows = {
            place_order(customers, f"ORD-{number}", scenario, BY).correlation_id: scenario
            for number, scenario in enumerate(scenarios)
        }
        for number in range(kills):
            kill(product, total * (number + 1) // (kills + 2))

        def ended() -> list[dict[str, Any]] | None:
            found = events(product)
            ends = {event["correlation_id"] for event in found if event["type"] in ENDS}
            return found if ends == flows.keys() else None

        found = product.wait_for(ended, "every saga's end", within_s=90)
        producer.close()
        # A command may stand in the topic twice; it is one event, and had one effect.
        unique = {(e["correlation_id"], e["type"]): e["event_id"] for e in found}
        ids = Counter(e["event_id"] for e in found)
        assert set(ids) == set(unique.values())
        assert Counter(correlation_id for correlation_id, _ in unique) == {
            flow: STORIES[scenario] for flow, scenario in flows.items()
        }
        # The pages tell the truth: each flow is done, or was undone.
        states = {
            flow: "done" if scenario is Scenario.FINE else "compensated"
            for flow, scenario in flows.items()
        }
        assert {flow: (product.flow(flow) or {})["state"] for flow in flows} == states
