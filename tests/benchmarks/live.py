"""Live under load: thousands of events a second, scripts that get all of them, pages that follow.

Each event's id says when it was handed to the client, so a frame tells its own latency. Of every
frame the oldest event counts, which is the worst; of lists the newest flow, because their rows are
older than the frame by right.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.latency import percentiles
from tests.benchmarks.machine import cpu_s
from tests.benchmarks.websocket import WebSocket
from tests.servers.product import Product
from tracing.kafka.producer import Producer, ensure_topics

RATE = 5_000
SECONDS = 20
# What a page of one flow looks at; each grows by an event a second.
WATCHED = 10
TAILS, LISTS, SCRIPTS = 40, 30, 20
EVENTS_A_FLOW = 7
TYPES = ("OrderPlaced", "StockReserved", "PaymentProcessed", "ShipmentCreated", "OrderCompleted")
_FRAME = re.compile(r'id="live-position"[^>]* data-frame="(\d+)"')
_ID = re.compile(r"run-(\d{13})-")


@dataclass
class Reader:
    """An open socket: what it got, and how late."""

    kind: str
    path: str
    latencies: list[float] = field(default_factory=list)
    frames: int = 0
    bytes: int = 0
    events: int = 0
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def has(self, events: int) -> None:
        """Wait until so many events have come."""
        while self.events < events:
            self._came.clear()
            await self._came.wait()

    async def read(self, port: int, opened: asyncio.Event) -> None:
        """Read frames, as live.js or a script does, until cancelled."""
        socket = await WebSocket.connect(port, self.path)
        opened.set()
        try:
            while True:
                text = await socket.receive()
                now_ms = time.time() * 1000
                if self.kind != "script":
                    # At the frame's end; to look through all of it would cost what is measured.
                    found = _FRAME.search(text, max(0, len(text) - 500))
                    assert found, text[-500:]
                    socket.send(json.dumps({"ack": int(found[1])}))
                self._take(text, now_ms)
        finally:
            with contextlib.suppress(OSError):
                await socket.close()

    def _take(self, text: str, now_ms: float) -> None:
        self.frames += 1
        self._came.set()
        self.bytes += len(text)
        if self.kind == "script":
            self.events += text.count('"event_id":"run-')
            # Thousands of lines, oldest first.
            text = text[:2_000]
        sent_ms = _newest(text) if self.kind in {"flows", "flow"} else _oldest(text)
        if sent_ms:
            self.latencies.append(now_ms - sent_ms)


def _oldest(text: str) -> int:
    return min((int(found) for found in _ID.findall(text)), default=0)


def _newest(text: str) -> int:
    return max((int(found) for found in _ID.findall(text)), default=0)


def readers() -> list[Reader]:
    """Return 20 scripts and 80 pages."""
    flows = [Reader("flow", f"/live/flow?id=watched-{number}") for number in range(WATCHED)]
    return [
        *(Reader("script", "/api/tail") for _ in range(SCRIPTS)),
        *(Reader("tail", "/live/tail") for _ in range(TAILS)),
        *(Reader("flows", "/live/flows") for _ in range(LISTS)),
        *flows,
    ]


def produce(broker: str, seconds: float) -> int:
    """Send events at the rate; return how many."""
    producer = Producer([broker], client_id="live")
    begun = time.monotonic()
    sent, flow = 0, ""
    while (now := time.monotonic()) - begun < seconds:
        due = int((now - begun) * RATE) - sent
        for _ in range(due):
            stamp = f"run-{int(time.time() * 1000)}-{sent}"
            if sent % EVENTS_A_FLOW == 0:
                flow = stamp
            of = flow
            if sent % (RATE // WATCHED) == 0:
                of = f"watched-{sent // (RATE // WATCHED) % WATCHED}"
            body = {
                "eventId": stamp,
                "eventType": TYPES[sent % len(TYPES)],
                "schemaVersion": "1",
                "timestamp": int(time.time() * 1000),
                "correlationId": of,
                "causationId": None,
                "source": "order-service",
                "payload": {"orderId": of, "note": "x" * 250},
            }
            producer.send("load", of.encode(), json.dumps(body).encode())
            sent += 1
        time.sleep(0.005)
    producer.close()
    return sent


async def measure(product: Product) -> dict[str, Any]:
    """Return latencies in ms by kind of reader, what was missed, and the CPU each process used."""
    await asyncio.to_thread(ensure_topics, [product.broker], {"load": 6})
    every = readers()
    opened = [asyncio.Event() for _ in every]
    tasks = [
        asyncio.create_task(reader.read(product.port, event))
        for reader, event in zip(every, opened, strict=True)
    ]
    names = ("ingest", "web")
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(event.wait() for event in opened))
        before = {name: cpu_s(product.processes[name].popen.pid) for name in names}
        sent = await asyncio.to_thread(_produce_apart, product.broker)
        used = {name: cpu_s(product.processes[name].popen.pid) - before[name] for name in names}
        scripts = [reader for reader in every if reader.kind == "script"]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                for reader in scripts:
                    await reader.has(sent)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error
    return _result(every, sent, used)


def _produce_apart(broker: str) -> int:
    """Run the producer as a process of its own: here a hundred sockets are read."""
    command = [sys.executable, "-m", "tests.benchmarks.live", broker, str(SECONDS)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _result(every: list[Reader], sent: int, used: dict[str, float]) -> dict[str, Any]:
    kinds = {}
    for kind in ("script", "tail", "flows", "flow"):
        mine = [reader for reader in every if reader.kind == kind]
        kinds[kind] = {
            "sockets": len(mine),
            "frames": sum(reader.frames for reader in mine),
            "megabytes": round(sum(reader.bytes for reader in mine) / 1e6),
            **percentiles([value for reader in mine for value in reader.latencies] or [0.0]),
        }
    missing = sum(sent - reader.events for reader in every if reader.kind == "script")
    return {"rate": RATE, "sent": sent, "missing": missing, "cpu_s": used, "kinds": kinds}


def table(measured: dict[str, Any]) -> str:
    """Return the result as lines to read."""
    cpu = ", ".join(f"CPU of {name} {seconds:.1f} s" for name, seconds in measured["cpu_s"].items())
    lines = [
        f"{measured['sent']} events at {measured['rate']}/s, {measured['missing']} missing; {cpu}",
        "From the producer's send of a frame's oldest event to the frame, in ms:",
        f"{'reader':<8}{'sockets':>8}{'frames':>8}{'MB':>7}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}",
    ]
    lines += [
        f"{kind:<8}{row['sockets']:>8}{row['frames']:>8}{row['megabytes']:>7}{row['p50']:>8}"
        f"{row['p95']:>8}{row['p99']:>8}{row['max']:>8}"
        for kind, row in measured["kinds"].items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(str(produce(sys.argv[1], float(sys.argv[2]))))
