"""Live under load: thousands of events a second, scripts that get all of them, pages that follow.

Each event's id says when it was handed to the client, so a frame tells its own latency. Producer
and readers are as cheap as we can make them: in life they are other machines.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import confluent_kafka

from tests.benchmarks.latency import percentiles
from tests.benchmarks.machine import busy_s, cpu_s
from tests.benchmarks.readers import Reader, follow
from tests.servers.product import Product
from tracing.kafka.producer import ensure_topics

RATE = 5_000
SECONDS = 20
# What a page of one flow looks at; each grows by an event a second.
WATCHED = 10
TAILS, LISTS, SCRIPTS = 40, 30, 20
# So many scripts are read event by event; of the others the events are counted.
WHOLE = 2
EVENTS_A_FLOW = 7
TYPES = ("OrderPlaced", "StockReserved", "PaymentProcessed", "ShipmentCreated", "OrderCompleted")
# Before what counts: an installation that runs has read its first events long ago.
WARM_S = 3
# Until all sockets show their state, and the warm-up is through; behind the last event.
SETTLE_S, LAST_S = 2, 20


def readers() -> list[Reader]:
    """Return 20 scripts and 80 pages."""
    return [
        *(Reader("script", "/api/tail", whole=number < WHOLE) for number in range(SCRIPTS)),
        *(Reader("tail", "/live/tail") for _ in range(TAILS)),
        *(Reader("flows", "/live/flows") for _ in range(LISTS)),
        *(Reader("flow", f"/live/flow?id=watched-{number}") for number in range(WATCHED)),
    ]


def produce(broker: str, seconds: float, name: str) -> int:
    """Send events at the rate; return how many. Only those of the name `run` are looked at."""
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": broker, "linger.ms": 2, "enable.idempotence": True}
    )
    # The first one connects; nobody looks at it.
    producer.produce("load", event("first", 0, "first", TYPES[0]), "first")
    producer.flush(LAST_S)
    begun = time.monotonic()
    sent, flow = 0, ""
    while (now := time.monotonic()) - begun < seconds:
        for _ in range(int((now - begun) * RATE) - sent):
            now_ms = int(time.time() * 1000)
            stamp = f"{name}-{now_ms}-{sent}"
            if sent % EVENTS_A_FLOW == 0:
                flow = stamp
            of = flow
            if sent % (RATE // WATCHED) == 0:
                of = f"watched-{sent // (RATE // WATCHED) % WATCHED}"
            producer.produce("load", event(stamp, now_ms, of, TYPES[sent % len(TYPES)]), of)
            sent += 1
        producer.poll(0)
        time.sleep(0.005)
    left = producer.flush(LAST_S)
    assert not left, f"{left} events were not delivered"
    return sent


def event(event_id: str, now_ms: int, flow: str, event_type: str) -> str:
    """Return a native envelope of some 550 bytes."""
    return (
        f'{{"eventId": "{event_id}", "eventType": "{event_type}", "schemaVersion": "1", '
        f'"timestamp": {now_ms}, "correlationId": "{flow}", "causationId": null, '
        f'"source": "order-service", '
        f'"payload": {{"orderId": "{flow}", "note": "{"x" * 250}"}}}}'
    )


def measure(product: Product) -> dict[str, Any]:
    """Return latencies in ms by kind of reader, what was missed, and the CPU each process used."""
    ensure_topics([product.broker], {"load": 6})
    every = readers()
    for reader in every:
        reader.open(product.port)
    _follow_for(every, SETTLE_S)
    _follow_production(every, product.broker, WARM_S, "warm")
    _follow_for(every, SETTLE_S)
    watch = _Watch(product)
    sent = _follow_production(every, product.broker, SECONDS, "run")
    used = watch.used_s()
    until = time.monotonic() + LAST_S
    scripts = [reader for reader in every if reader.kind == "script"]
    follow(
        every,
        lambda: time.monotonic() < until and any(reader.events < sent for reader in scripts),
    )
    for reader in every:
        reader.socket.close()
    return _result(every, sent, used)


def _follow_production(every: list[Reader], broker: str, seconds: float, name: str) -> int:
    """Read while a producer is at work, and return how many events it sent."""
    command = [sys.executable, "-m", "tests.benchmarks.live", broker, str(seconds), name]
    producer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    follow(every, lambda: producer.poll() is None)
    assert producer.stdout
    with producer.stdout as said:
        return int(said.read())


def _follow_for(every: list[Reader], seconds: float) -> None:
    until = time.monotonic() + seconds
    follow(every, lambda: time.monotonic() < until)


class _Watch:
    """What the processes use from now on."""

    def __init__(self, product: Product) -> None:
        self._pids = {name: product.processes[name].popen.pid for name in ("ingest", "web")}
        self._before, self._busy = self._now(), busy_s()

    def _now(self) -> dict[str, float]:
        found = {name: cpu_s(pid) for name, pid in self._pids.items()}
        return {**found, "readers": time.process_time()}

    def used_s(self) -> dict[str, float]:
        """Return CPU seconds by process; "all" is everything on this machine."""
        used = {name: after - self._before[name] for name, after in self._now().items()}
        return {**used, "all": busy_s() - self._busy}


def _result(every: list[Reader], sent: int, used: dict[str, float]) -> dict[str, Any]:
    kinds = {}
    for kind in ("script", "tail", "flows", "flow"):
        mine = [reader for reader in every if reader.kind == kind]
        kinds[kind] = {
            "sockets": len(mine),
            "frames": sum(reader.frames for reader in mine),
            "megabytes": round(sum(reader.size for reader in mine) / 1e6),
            **percentiles([value for reader in mine for value in reader.latencies] or [0.0]),
        }
    scripts = [reader for reader in every if reader.kind == "script"]
    missing = sum(abs(sent - reader.events) for reader in scripts)
    # Each once, and in the order of the log: of a partition, that is the order of sending.
    unlike = sum(sorted(reader.numbers) != list(range(sent)) for reader in scripts if reader.whole)
    return {
        "rate": RATE,
        "sent": sent,
        "missing": missing,
        "unlike": unlike,
        "cpu_s": used,
        "kinds": kinds,
    }


def table(measured: dict[str, Any]) -> str:
    """Return the result as lines to read."""
    cpu = ", ".join(f"{name} {seconds:.1f}" for name, seconds in measured["cpu_s"].items())
    lines = [
        f"{measured['sent']} events at {measured['rate']}/s, {measured['missing']} missing;",
        f"{measured['unlike']} of {WHOLE} scripts did not get each once; CPU in s: {cpu}",
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
    sys.stdout.write(str(produce(sys.argv[1], float(sys.argv[2]), sys.argv[3])))
