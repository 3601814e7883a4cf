"""Orders that come by themselves are numbered one after the other."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from eventviz.telemetry import tracer_of
from tracing.demo import counter, traffic
from tracing.demo.orders import SOURCE
from tracing.demo.publishing import Publisher
from tracing.domain.record import Header
from tracing.kafka.producer import Coordinates


class Ledger:
    """Takes records as Kafka would, and closes the shop after so many."""

    def __init__(self, most: int, stop: threading.Event) -> None:
        self.keys: list[bytes | None] = []
        self._most = most
        self._stop = stop

    def deliver(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[Header] = (),
    ) -> Coordinates:
        self.keys.append(key)
        if len(self.keys) == self._most:
            self._stop.set()
        return Coordinates(topic, 0, len(self.keys))


def test_no_number_is_left_out() -> None:
    stop = threading.Event()
    ledger = Ledger(4, stop)

    traffic.place_orders(
        Publisher(ledger, source=SOURCE, tracer=tracer_of(SOURCE)), rate=10_000, stop=stop
    )

    assert ledger.keys == [b"ORD-1001", b"ORD-1002", b"ORD-1003", b"ORD-1004"]


def test_orders_of_the_page_are_told_apart_by_their_prefix() -> None:
    prefixes: set[str] = {counter.PREFIX, traffic.PREFIX}

    assert len(prefixes) == 2
