"""A database beside the product that writes it, and whether all is in it, each once."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import psycopg

from tests.servers.product import Product
from tests.servers.stored import EVENTS, check_events
from tests.strangers.producing import Sent, envelope, send

TYPES = ["OrderPlaced", "StockReserved", "PaymentProcessed", "OrderCompleted"]


class Ingested:
    """What was sent, and what the database holds of it."""

    def __init__(self, product: Product, broker: str, url: str, topics: Sequence[str]) -> None:
        """Send to `broker` and look into `url`, whatever lies between these and the product."""
        self._topics = topics
        self.product = product
        self.sent: list[tuple[str, int, int]] = []
        self._broker = broker
        self._url = url
        self._flows = 0

    def send(self, flows: int, *, padding: int = 0) -> None:
        """Send whole flows of four events over the topics, and wait until they are there."""
        noise = random.Random(self._flows)
        first, self._flows = self._flows, self._flows + flows
        self.sent += send(
            self._broker,
            [
                Sent(
                    self._topics[place % len(self._topics)],
                    envelope(
                        name,
                        correlation_id=f"flow-{number}",
                        event_id=f"{number}-{place}",
                        causation_id=f"{number}-{place - 1}" if place else None,
                        payload={
                            "orderId": f"ORD-{number}",
                            "note": noise.randbytes(padding // 2).hex(),
                        },
                    ),
                    f"ORD-{number}".encode(),
                )
                for number in range(first, first + flows)
                for place, name in enumerate(TYPES)
            ],
        )

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Return the answer to a query."""
        if self._url.startswith("postgres"):
            with psycopg.connect(self._url) as connection:
                return connection.execute(question).fetchall()
        with closing(sqlite3.connect(self._url.removeprefix("sqlite:///"), timeout=10)) as opened:
            return opened.execute(question).fetchall()

    def events(self) -> int:
        """Return how many events are stored."""
        return int(self.rows(EVENTS)[0][0])

    def wait_for(self, least: int, *, within_s: float = 30) -> None:
        """Wait until so many events are stored."""
        self.product.wait_for(lambda: self.events() >= least, f"{least} events", within_s=within_s)

    def wait_for_all(self, *, within_s: float = 30) -> None:
        """Wait until all that was sent is stored."""
        self.wait_for(len(self.sent), within_s=within_s)

    def check_each_once(self) -> None:
        """Fail unless every record and every event is there once, and every flow is whole."""
        total = len(self.sent)
        assert self.rows("SELECT sum(next_offset) FROM tracing_partition") == [(total,)]
        check_events(self.rows, total)
        assert self.rows("SELECT count(*), min(events), max(events) FROM tracing_flow") == [
            (self._flows, len(TYPES), len(TYPES))
        ]
