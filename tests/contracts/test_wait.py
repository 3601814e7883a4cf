"""The Python client waits on a running product, as a test of somebody else would."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from tests.servers.processes import PATIENCE_S
from tests.servers.product import Product
from tests.strangers.producing import Sent, create_topics, envelope, send
from tracing.client import EventFailed, EventNotSeen, Eventviz, WaitRefused

pytestmark = [pytest.mark.slow, pytest.mark.broker]

TOPIC = "warehouse"


@pytest.fixture(scope="module")
def viz(product: Product) -> Eventviz:
    create_topics(product.broker, [TOPIC])
    return Eventviz(product.url)


def told(product: Product, event_type: str, order: str, **payload: Any) -> None:
    value = envelope(
        event_type, correlation_id=f"flow of {order}", payload={"orderId": order, **payload}
    )
    send(product.broker, [Sent(TOPIC, value, order.encode())])


def test_it_returns_the_event_that_comes_and_the_one_that_came(
    product: Product, viz: Eventviz
) -> None:
    later = threading.Timer(0.3, told, (product, "StockReserved", "A-1"))
    later.start()

    came = viz.wait("StockReserved", orderId="A-1", timeout_s=60)
    again = viz.wait(["StockReserved", "Other"], match={"key": "A-1"}, timeout_s=0)
    later.join()

    assert came["payload"] == {"orderId": "A-1"}
    assert again["event_id"] == came["event_id"]


def test_a_failure_and_a_silence_are_told_apart(product: Product, viz: Eventviz) -> None:
    told(product, "StockReservationFailed", "A-2", reason="out_of_stock")

    with pytest.raises(EventFailed, match="StockReservationFailed: out_of_stock") as failed:
        viz.wait("StockReserved", fail="StockReservationFailed", orderId="A-2", timeout_s=60)
    with pytest.raises(EventNotSeen):
        viz.wait("StockReserved", orderId="A-2", timeout_s=0.1)
    with pytest.raises(WaitRefused, match="name the type"):
        viz.wait("")

    assert failed.value.event["payload"]["orderId"] == "A-2"


async def test_many_wait_at_once_on_one_loop(product: Product, viz: Eventviz) -> None:
    waits = [
        asyncio.create_task(viz.wait_async("StockReserved", orderId=f"B-{n}", timeout_s=60))
        for n in range(50)
    ]
    refused = asyncio.create_task(viz.wait_async("StockReserved", match={"x": ""}))
    values = [
        envelope("StockReserved", correlation_id=f"b-{n}", payload={"orderId": f"B-{n}"})
        for n in range(50)
    ]
    await asyncio.to_thread(send, product.broker, [Sent(TOPIC, value) for value in values])

    events = await asyncio.gather(*waits)

    assert [event["payload"]["orderId"] for event in events] == [f"B-{n}" for n in range(50)]
    with pytest.raises(WaitRefused, match="a field and its value"):
        await refused


async def test_who_gives_up_frees_the_place(product: Product, viz: Eventviz) -> None:
    """So many give up that nobody else could wait if they still had theirs."""

    async def refused() -> int:
        """Let so many wait for a second, then give up; return how many found no place."""
        waits = [
            asyncio.create_task(viz.wait_async("Never", orderId="C-1", timeout_s=50))
            for _ in range(240)
        ]
        done, _ = await asyncio.wait(waits, timeout=1)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        return len(done)

    async with asyncio.timeout(PATIENCE_S):
        for _ in range(2):
            # The server hears a little later that somebody has left.
            while await refused():
                pass
        with pytest.raises(EventNotSeen):
            await viz.wait_async("Never", timeout_s=0)


def test_plain_http_answers_like_the_readme_says(product: Product) -> None:
    told(product, "StockReserved", "D-1")

    product.wait_for_flow("flow of D-1", 1)
    status, body = product.get("/api/wait?type=StockReserved&match=orderId:D-1&timeout_ms=5000")

    assert status == 200
    answer = json.loads(body)
    assert answer["status"] == "matched"
    assert answer["event"]["key"] == "D-1"
    assert product.get("/api/wait")[0] == 400
