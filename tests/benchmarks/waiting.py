"""How long it takes from a producer's `send` to the answer that somebody waits for."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.latency import percentiles
from tests.servers.product import Product
from tracing.client import Eventviz
from tracing.kafka.producer import Producer

RATE = 200
WAITERS = 200
SECONDS = 15
# Every how many events one is awaited; whom it answers waits for a later one.
AWAITED = 2
TOPICS = ("orders", "inventory", "payments")
TYPE = "StockReserved"


def event(number: int, prefix: str) -> bytes:
    """Return an event; each is another order's."""
    body = {
        "eventId": f"{prefix}-{number}",
        "eventType": "PaymentProcessed" if number % 2 else TYPE,
        "schemaVersion": "1",
        "timestamp": int(time.time() * 1000),
        "correlationId": f"{prefix}-flow-{number // 5}",
        "payload": {"orderId": f"{prefix}-{number}", "items": [{"sku": "tea", "quantity": 2}]},
    }
    return json.dumps(body).encode()


def produce(broker: str, count: int, prefix: str) -> dict[str, float]:
    """Send events at the rate; return when each was handed to the client, by order."""
    producer = Producer([broker], client_id="waiting")
    sent: dict[str, float] = {}
    begun = time.monotonic()
    for number in range(count):
        value = event(number, prefix)
        time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
        sent[f"{prefix}-{number}"] = time.monotonic()
        producer.send(TOPICS[number % len(TOPICS)], f"{prefix}-{number}".encode(), value)
    producer.close()
    return sent


async def wait_in_turn(viz: Eventviz, orders: list[str], answered: dict[str, float]) -> None:
    """Wait for one order after the other, as a test suite does."""
    for order in orders:
        await viz.wait_async(TYPE, fail="StockReservationFailed", orderId=order, timeout_s=60)
        answered[order] = time.monotonic()


def cpu_s(pid: int) -> float:
    """Return the seconds of computing that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def measure(product: Product) -> dict[str, Any]:
    """Return the latencies in milliseconds, and what they cost the servers.

    There are always as many who wait as `WAITERS`: each waits for an order that is still to come,
    and then for a later one.
    """
    await asyncio.to_thread(produce, product.broker, RATE, "warm")
    viz = Eventviz(product.url)
    count = RATE * SECONDS
    # Those behind the last one sent keep the room full to the end; they are never answered.
    awaited = [f"run-{number}" for number in range(0, count + WAITERS * AWAITED, AWAITED)]
    answered: dict[str, float] = {}
    tasks = [
        asyncio.create_task(wait_in_turn(viz, awaited[first::WAITERS], answered))
        for first in range(WAITERS)
    ]
    await asyncio.sleep(2)
    before = {
        name: cpu_s(it.popen.pid)
        for name, it in product.processes.items()
        if it.popen.poll() is None
    }
    begun = time.monotonic()
    sent = await asyncio.to_thread(produce, product.broker, count, "run")
    expected = [order for order in awaited if order in sent]
    async with asyncio.timeout(30):
        while len(answered) < len(expected):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    took_s = time.monotonic() - begun
    cpu = {
        name: (cpu_s(product.processes[name].popen.pid) - used) / took_s
        for name, used in before.items()
    }
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    late = [(answered[order] - sent[order]) * 1_000 for order in expected]
    return {
        "rate": RATE,
        "waiters": WAITERS,
        "seconds": SECONDS,
        "answers": len(answered),
        "latency_ms": percentiles(late),
        "cpu_share": {name: round(share, 2) for name, share in cpu.items()},
    }


def table(measured: dict[str, Any]) -> str:
    """Return the result as lines to read."""
    late, cpu = measured["latency_ms"], measured["cpu_share"]
    return (
        f"{measured['waiters']} wait, {measured['rate']} events/s for {measured['seconds']} s, "
        f"{measured['answers']} answers;\nfrom the producer's send to the answer, in ms: "
        f"p50 {late['p50']}, p95 {late['p95']}, p99 {late['p99']}, max {late['max']};\n"
        f"cores used: {', '.join(f'{name} {share}' for name, share in cpu.items())}"
    )
