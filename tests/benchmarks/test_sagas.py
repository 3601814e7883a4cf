"""How long a saga of a thousand steps takes to open over HTTP, and the list beside many sagas."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.machine import cpu_s
from tests.benchmarks.reads import opened_ms
from tests.servers.embedded import embedded_broker
from tests.servers.processes import ROOT
from tests.servers.product import Product, running_product
from tracing.kafka.producer import Producer

pytestmark = [pytest.mark.broker, pytest.mark.long]

STEPS = 1_000
# One saga is under way in its middle, one went back from there, one waits at its beginning.
DONE = 600
SAGAS = 5_000
TIMES = 40


def test_a_saga_of_a_thousand_steps_opens(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text(_long())
    shop = ROOT / "tracing" / "demo" / "sagas" / "order.yaml"
    with embedded_broker(tmp_path) as broker, running_product(tmp_path, broker) as product:
        declared = product.manage("saga", str(file), str(shop), "--valid-from", "2020-01-01")
        assert declared.wait(60) == 0, declared.output
        _say(broker)
        ids = {key: _saga(product, key) for key in ("done", "turned", "half")}
        product.wait_for(lambda: _last(product), "all sagas stored", within_s=120)
        pages = {
            "a saga with 1,000 steps done": f"/sagas/{ids['done']}",
            "a saga turned back after 600 of 1,000": f"/sagas/{ids['turned']}",
            "a saga under way at 600 of 1,000": f"/sagas/{ids['half']}",
            "the same with a fold open": f"/sagas/{ids['half']}?step=300",
            "its JSON": f"/api/sagas/{ids['half']}",
            f"the list beside {SAGAS:,} sagas": "/sagas/",
            "the list, overdue": "/sagas/?overdue=1",
        }
        for name, path in pages.items():
            web = product.processes["web"].popen.pid
            before = cpu_s(web)
            took = sorted(opened_ms(product.port, path) for _ in range(TIMES))
            cpu_ms = (cpu_s(web) - before) / TIMES * 1_000
            print(  # noqa: T201
                f"Measured: {name}: median {took[TIMES // 2]:.1f} ms,"
                f" p95 {took[int(TIMES * 0.95)]:.1f} ms, worst {took[-1]:.1f} ms,"
                f" CPU of the web server {cpu_ms:.1f} ms"
            )


def _long() -> str:
    lines = ["saga: Long", "starts: LongBegun", "key: $.key", "steps:"]
    lines.extend(
        f"  - {{name: Step {number}, success: Done{number}, failure: Failed{number}, timeout: 1h,"
        f" compensation: {{name: Undo step {number}, success: Undone{number}, timeout: 1h}}}}"
        for number in range(STEPS)
    )
    return "\n".join([*lines, "ends: {completed: LongEnded, cancelled: LongCancelled}"])


def _say(broker: str) -> None:
    forward = [f"Done{number}" for number in range(STEPS)]
    back = [f"Undone{number}" for number in reversed(range(DONE // 2, DONE))]
    told = {
        "done": ["LongBegun", *forward, "LongEnded"],
        "turned": ["LongBegun", *forward[:DONE], f"Failed{DONE}", *back],
        "half": ["LongBegun", *forward[:DONE]],
        **{f"s{number}": ["OrderPlaced"] for number in range(SAGAS)},
    }
    producer = Producer([broker], client_id="test", linger_ms=20)
    waiting = []
    for key, types in told.items():
        for number, event_type in enumerate(types):
            value = (
                f'{{"eventId": "{key}-{number}", "eventType": "{event_type}",'
                f' "correlationId": "flow-{key}",'
                f' "payload": {{"key": "{key}", "orderId": "{key}"}}}}'
            )
            waiting.append(producer.send("long", key.encode(), value.encode(), ()))
    for sent in waiting:
        sent.coordinates(60)
    producer.close()


def _saga(product: Product, key: str) -> str:
    def look() -> str | None:
        found = product.json(f"/api/sagas?key={key}")["sagas"]
        return str(found[0]["id"]) if found else None

    return product.wait_for(look, key, within_s=60)


def _last(product: Product) -> bool:
    return bool(product.json(f"/api/sagas?key=s{SAGAS - 1}")["sagas"])
