"""How long it takes from a producer's `send` to the frame that shows the event on an open page."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.websocket import WebSocket
from tests.servers.product import Product
from tracing.kafka.producer import Producer

RATE = 100
SECONDS = 20
LAST_FRAME_S = 2
# What the pages of single flows look at; they grow by two events a second each.
WATCHED = ("watched-0", "watched-1", "watched-2")
STEPS = (
    ("OrderPlaced", "order-service", "orders"),
    ("StockReserved", "inventory-service", "inventory"),
    ("PaymentProcessed", "payment-service", "payments"),
    ("ShipmentCreated", "shipping-service", "shipments"),
    ("OrderCompleted", "order-service", "orders"),
)
_POSITION = re.compile(r'id="live-position"[^>]* data-frame="(\d+)"')


@dataclass
class Page:
    """An open page: what its frames show, and when each id was first seen."""

    kind: str
    path: str
    shows: Callable[[str], Iterator[str]]
    expects: Callable[[str, str, bool], str | None]
    seen: dict[str, float] = field(default_factory=dict)
    frames: int = 0
    characters: int = 0

    async def watch(self, port: int, opened: asyncio.Event) -> None:
        """Read and acknowledge frames, as live.js does, until cancelled."""
        socket = await WebSocket.connect(port, self.path)
        try:
            while True:
                text = await socket.receive()
                now = time.monotonic()
                found = _POSITION.search(text)
                assert found, text[-500:]
                socket.send(json.dumps({"ack": int(found[1])}))
                self.frames += 1
                self.characters += len(text)
                opened.set()
                for name in self.shows(text):
                    self.seen.setdefault(name, now)
        finally:
            with contextlib.suppress(OSError):
                await socket.close()


def five_pages() -> list[Page]:
    """Return the pages: the list, three flows, the tail."""

    def events(text: str) -> Iterator[str]:
        return (found[1] for found in re.finditer(r'data-event="([\w-]+)"', text))

    def rows(text: str) -> Iterator[str]:
        return (found[1] for found in re.finditer(r'href="/flows/([\w-]+)"', text))

    def tail(text: str) -> Iterator[str]:
        return (found[1] for found in re.finditer(r"\?event=([\w-]+)", text))

    flows = [
        Page(
            "flow",
            f"/live/flow?id={watched}",
            events,
            functools.partial(_if_watched, watched),
        )
        for watched in WATCHED
    ]
    return [
        # A row shows its flow, not its events: the first one makes it appear.
        Page("flows", "/live/flows", rows, lambda _event, flow, first: flow if first else None),
        *flows,
        Page("tail", "/live/tail", tail, lambda event, _flow, _first: event),
    ]


def _if_watched(watched: str, event: str, flow: str, _first: bool) -> str | None:
    return event if flow == watched else None


@dataclass
class Sent:
    """An event on its way."""

    event: str
    flow: str
    first: bool
    at: float


def traffic(events: int, prefix: str) -> Iterator[tuple[str, str, tuple[str, str, str]]]:
    """Yield (event id, flow id, step): four orders at a time, and the watched flows between."""
    ordinary = 0
    for number in range(events):
        if number % 17 == 0:
            step = STEPS[number % len(STEPS)]
            yield f"{prefix}-{number}", WATCHED[number // 17 % len(WATCHED)], step
            continue
        block, place = divmod(ordinary, 4 * len(STEPS))
        yield f"{prefix}-{number}", f"{prefix}-flow-{block}-{place % 4}", STEPS[place // 4]
        ordinary += 1


def produce(broker: str, events: int, prefix: str) -> list[Sent]:
    """Send events at the rate; return when each was handed to the client."""
    producer = Producer([broker], client_id="latency")
    sent: list[Sent] = []
    last: dict[str, str] = {}
    begun = time.monotonic()
    for number, (event, flow, step) in enumerate(traffic(events, prefix)):
        event_type, service, topic = step
        body = {
            "eventId": event,
            "eventType": event_type,
            "schemaVersion": "1",
            "timestamp": int(time.time() * 1000),
            "correlationId": flow,
            "causationId": last.get(flow),
            "payload": {"orderId": flow, "items": [{"sku": "tea", "quantity": 2}]},
        }
        value = json.dumps(body).encode()
        time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
        sent.append(Sent(event, flow, flow not in last, time.monotonic()))
        producer.send(topic, flow.encode(), value, [("source", service.encode())])
        last[flow] = event
    producer.close()
    return sent


async def measure(product: Product) -> dict[str, Any]:
    """Return the latencies of all pages, in milliseconds."""
    pages = five_pages()
    # Topics and flows exist before, as they do in an installation that runs.
    await asyncio.to_thread(produce, product.broker, RATE, "warm")
    opened = [asyncio.Event() for _ in pages]
    tasks = [
        asyncio.create_task(page.watch(product.port, event))
        for page, event in zip(pages, opened, strict=True)
    ]
    try:
        async with asyncio.timeout(20):
            await asyncio.gather(*(event.wait() for event in opened))
        sent = await asyncio.to_thread(produce, product.broker, RATE * SECONDS, "run")
        await asyncio.sleep(LAST_FRAME_S)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error
    return result(pages, sent)


def result(pages: list[Page], sent: list[Sent]) -> dict[str, Any]:
    """Return percentiles for each kind of page and for all together, and what never came."""
    samples: dict[str, list[float]] = {}
    missing: dict[str, int] = {}
    for page in pages:
        for item in sent:
            name = page.expects(item.event, item.flow, item.first)
            if name is None:
                continue
            found = samples.setdefault(page.kind, [])
            if name in page.seen:
                found.append((page.seen[name] - item.at) * 1000)
            else:
                missing[page.kind] = missing.get(page.kind, 0) + 1
    samples["all"] = [value for values in list(samples.values()) for value in values]
    missing["all"] = sum(missing.values())
    return {
        "rate": RATE,
        "seconds": SECONDS,
        "pages": len(pages),
        "frames": sum(page.frames for page in pages),
        "characters": sum(page.characters for page in pages),
        "latency_ms": {
            kind: {**percentiles(values), "missing": missing.get(kind, 0)}
            for kind, values in samples.items()
        },
    }


def percentiles(values: list[float]) -> dict[str, float]:
    """Return how many, p50, p95, p99 and the maximum."""
    ordered = sorted(values)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)

    return {
        "samples": len(ordered),
        "p50": at(0.5),
        "p95": at(0.95),
        "p99": at(0.99),
        "max": round(ordered[-1], 1),
    }


def table(measured: dict[str, Any]) -> str:
    """Return the result as lines to read."""
    lines = [
        f"{measured['rate']} events/s for {measured['seconds']} s, {measured['pages']} pages open;",
        f"{measured['frames']} frames; from the producer's send to the frame, in ms:",
        f"{'page':<8}{'samples':>9}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}{'missing':>9}",
    ]
    for kind, row in measured["latency_ms"].items():
        lines.append(
            f"{kind:<8}{row['samples']:>9}{row['p50']:>8}{row['p95']:>8}{row['p99']:>8}"
            f"{row['max']:>8}{row['missing']:>9}"
        )
    return "\n".join(lines)
