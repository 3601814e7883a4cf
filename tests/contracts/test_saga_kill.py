"""The orchestrator is killed in the middle of its sagas: every one ends, nothing is done twice."""

from __future__ import annotations

import signal
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from eventviz.telemetry import tracer_of
from tests.servers.embedded import embedded_broker
from tests.servers.processes import MANAGE, ROOT
from tests.servers.product import Product, running_product
from tracing.demo.events import PARTITIONS
from tracing.demo.orders import SOURCE, place_order
from tracing.demo.publishing import Publisher
from tracing.demo.scenarios import Pattern, Scenario
from tracing.kafka.producer import Producer, ensure_topics

pytestmark = [pytest.mark.slow, pytest.mark.broker]

DEFINITION = ROOT / "tracing" / "demo" / "sagas" / "orchestrated-order.yaml"
BY = Pattern.ORCHESTRATION
# How many messages each story has.
STORIES = {Scenario.FINE: 8, Scenario.PAYMENT_DECLINED: 9, Scenario.SHIPMENT_FAILED: 13}
ENDS = {"OrderCompleted", "OrderCancelled"}


def events(product: Product) -> list[dict[str, Any]]:
    """Return the orchestrated shop's events."""
    return [event for event in product.events() if event["topic"].startswith("saga.")]


def shown_truly(product: Product) -> bool:
    """Return whether the sagas' list agrees with the events; False while both still move."""
    found = events(product)
    types: dict[str, set[str]] = {}
    for event in found:
        types.setdefault(event["correlation_id"], set()).add(event["type"])
    listed = product.json("/api/sagas?limit=200")["sagas"]
    if len(events(product)) != len(found):
        return False
    shown = {saga["correlation_id"]: saga["state"] for saga in listed}
    assert shown == {flow: state_of(told) for flow, told in types.items()}
    return True


def state_of(types: set[str]) -> str:
    """Return a saga's state in the words of its definition, from what was told."""
    if "OrderCancelled" in types:
        return "CANCELLED"
    if {"PaymentFailed", "ShipmentFailed"} & types:
        return "COMPENSATING"
    way = {
        "OrderCompleted": "COMPLETED",
        "ShipmentCreated": "SHIPMENT_CREATED",
        "PaymentProcessed": "PAYMENT_PROCESSED",
        "StockReserved": "STOCK_RESERVED",
    }
    return next((state for told, state in way.items() if told in types), "PENDING")


def kill(product: Product, once: int) -> None:
    """Kill the orchestrator when so many events are stored, and start it again."""
    product.wait_for(lambda: len(events(product)) >= once, f"{once} events")
    victim = product.processes["orchestrator"]
    victim.send(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    # Nobody goes on with them now: the page says of each how far it is.
    product.wait_for(lambda: shown_truly(product), "the truth of each saga")
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
        ExitStack() as stack,
    ):
        declared = product.manage("saga", str(DEFINITION), "--valid-from", "1970-01-01")
        assert declared.wait() == 0, declared.output
        ensure_topics([address], PARTITIONS)
        product.manage("shop", "--only", "services")
        start_orchestrator(product)
        producer = stack.enter_context(closing(Producer([address], client_id="test")))
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
        # A command may stand in the topic twice; it is one event, and had one effect.
        unique = {(e["correlation_id"], e["type"]): e["event_id"] for e in found}
        ids = Counter(e["event_id"] for e in found)
        assert set(ids) == set(unique.values())
        assert Counter(correlation_id for correlation_id, _ in unique) == {
            flow: STORIES[scenario] for flow, scenario in flows.items()
        }
        product.wait_for(lambda: shown_truly(product), "the truth of each saga")
