"""A shop without customers of its own, somebody who orders, and somebody who listens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from eventviz.telemetry import tracer_of
from tests.servers.embedded import embedded_broker
from tests.servers.processes import wait_for
from tracing.demo.events import PARTITIONS
from tracing.demo.orders import SOURCE
from tracing.demo.publishing import Publisher
from tracing.demo.shop import Shop
from tracing.demo.store import Store
from tracing.domain.record import Record
from tracing.kafka.group_consumer import GroupConsumer
from tracing.kafka.producer import Producer

QUICK_S = (0.05, 0.05, 0.05)
TOPICS = sorted({*PARTITIONS, *(f"{name}.dlq" for name in ("orders", "payments", "inventory"))})


class Told(NamedTuple):
    """A record with its envelope."""

    record: Record
    envelope: dict[str, Any]


class Town:
    """The shop, and what its topics tell."""

    def __init__(
        self, broker: str, producer: Producer, listener: GroupConsumer, store: Store
    ) -> None:
        """Take a producer and a listener that are connected."""
        self._producer = producer
        self.store = store
        self.broker = broker
        self.publisher = Publisher(producer, source=SOURCE, tracer=tracer_of(SOURCE))
        self._listener = listener
        self._heard: list[Told] = []

    def say_again(self, told: Told, **changes: Any) -> None:
        """Write a message once more, with another envelope."""
        value = msgspec.json.encode({**told.envelope, **changes})
        record = told.record
        self._producer.deliver(record.topic, record.key, value, record.headers)

    def story(self, correlation_id: str, records: int) -> list[Told]:
        """Return the flow's records by event time, once there are so many."""

        def whole() -> list[Told]:
            for record in self._listener.poll(50):
                with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    self._heard.append(Told(record, msgspec.json.decode(record.value or b"")))
            found = [it for it in self._heard if it.envelope.get("correlationId") == correlation_id]
            return found if len(found) >= records else []

        found = wait_for(whole, f"{records} events")
        return sorted(found, key=lambda told: told.envelope["timestamp"])


@contextlib.contextmanager
def open_town(folder: Path) -> Iterator[Town]:
    """Yield it on a broker of its own."""
    with (
        embedded_broker(folder) as broker,
        contextlib.closing(Store(folder / "shop")) as store,
        Shop(
            [broker], rate=0, tracer_of=tracer_of, store=Store(folder / "shop"), backoff_s=QUICK_S
        ) as shop,
    ):
        assert shop.wait_until_open()
        producer = Producer([broker], client_id="test")
        listener = GroupConsumer(
            [broker], group="listener", topics=TOPICS, session_timeout_ms=2_000
        )
        yield Town(broker, producer, listener, store)
        listener.close()
        producer.close()


def chain(story: Sequence[Told]) -> set[tuple[str, str | None]]:
    """Return each message's type with that of its cause."""
    types = {told.envelope["eventId"]: told.envelope["eventType"] for told in story}
    return {
        (told.envelope["eventType"], types.get(told.envelope.get("causationId", "")))
        for told in story
    }
