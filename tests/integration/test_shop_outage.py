"""The shop outlives a broker that is away, and says what it had to say when it is back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.servers.processes import (
    MANAGE,
    PATIENCE_S,
    Process,
    can_connect,
    free_port,
    wait_for,
)
from tracing.demo.events import PARTITIONS
from tracing.demo.outbox import Outbox, ShopClosedError
from tracing.kafka.embedded import broker_command
from tracing.kafka.group_consumer import GroupConsumer
from tracing.kafka.producer import (
    Producer,
    RecordNotSentError,
    RecordRefusedError,
    ensure_topics,
)

pytestmark = [pytest.mark.broker, pytest.mark.slow]

# Shorter than the outages of these tests.
TIMEOUT_MS = 500


class Broker:
    """An embedded broker that a test can freeze, end and start anew on the same port."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._log = folder / "broker.log"
        self.address = f"127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        self.process = Process("broker", broker_command(self._port), self._log)
        self.process.wait_until(lambda: can_connect(self._port), "listen")

    def freeze(self) -> None:
        self.process.freeze()

    def thaw(self) -> None:
        self.process.thaw()


@pytest.fixture
def frail(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.thaw()
    broker.process.end()


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def outbox(frail: Broker, stop: threading.Event) -> Iterator[Outbox]:
    ensure_topics([frail.address], {"orders": 1})
    made = Outbox(
        lambda: Producer([frail.address], client_id="test", linger_ms=0, timeout_ms=TIMEOUT_MS),
        stop,
    )
    yield made
    made.close()


def test_a_producer_closes_while_it_holds_what_it_cannot_send(frail: Broker) -> None:
    ensure_topics([frail.address], {"orders": 1})
    producer = Producer([frail.address], client_id="test", linger_ms=0)
    producer.send("orders", b"k", b"before").coordinates()
    frail.freeze()
    held = producer.send("orders", b"k", b"never")

    producer.close(timeout_s=0)

    with pytest.raises(RecordNotSentError):
        held.coordinates()


def test_what_was_said_while_the_broker_was_frozen_arrives(
    frail: Broker, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="tracing.demo")
    outbox.deliver("orders", b"k", b"before")
    frail.freeze()
    # Half a second may have been too little for the first one already.
    caplog.clear()

    with ThreadPoolExecutor() as pool:
        said = pool.submit(outbox.deliver, "orders", b"k", b"meanwhile")
        wait_for(lambda: "Orders wait" in caplog.text, "the outage is told")
        assert not said.done()
        frail.thaw()

        assert said.result(PATIENCE_S).offset >= 1

    assert caplog.text.count("Orders wait") == 1
    assert caplog.text.count("Kafka is back after") == 1


def test_whoever_waits_goes_home_when_the_shop_closes(
    frail: Broker, outbox: Outbox, stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    frail.freeze()

    with ThreadPoolExecutor() as pool:
        said = pool.submit(outbox.deliver, "orders", b"k", b"too late")
        wait_for(lambda: "Orders wait" in caplog.text, "the outage is told")
        stop.set()

        with pytest.raises(ShopClosedError):
            said.result(PATIENCE_S)


def test_a_record_that_kafka_never_takes_is_not_tried_again(outbox: Outbox) -> None:
    with pytest.raises(RecordRefusedError):
        outbox.deliver("orders", b"k", b"x" * 2_000_000)


def test_the_shop_goes_on_with_a_broker_that_was_started_anew(
    frail: Broker, tmp_path: Path
) -> None:
    env = {"EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS": frail.address}
    with Process("shop", [*MANAGE, "shop", "--rate", "5"], tmp_path / "shop.log", env=env) as shop:
        shop.wait_until(lambda: has_completed_an_order(frail), "a completed order")
        frail.process.end()
        frail.start()

        shop.wait_until(lambda: has_completed_an_order(frail), "another")

        assert shop.popen.poll() is None


def has_completed_an_order(frail: Broker) -> bool:
    ensure_topics([frail.address], PARTITIONS)
    listener = GroupConsumer(
        [frail.address], group="listener", topics=["orders"], session_timeout_ms=2_000
    )
    try:
        return any(
            record.header("event-type") == b"OrderCompleted"
            for _ in range(50)
            for record in listener.poll(100)
        )
    finally:
        listener.close()
