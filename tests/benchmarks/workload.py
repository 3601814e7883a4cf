"""What the benchmarks put into Kafka: orders of a shop, as envelopes and as Zipkin's spans.

The same seed gives the same ids, so that the queries know what there is without keeping it.
"""

from __future__ import annotations

import itertools
import random
import subprocess
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from tests.servers.apache import JARS
from tracing.kafka.producer import ensure_topics

PARTITIONS = 6
SEED = 1
# Orders on their way at the same time: so many that a flow's events lie far apart in the log.
OPEN_ORDERS = 2_000
STEPS = (
    ("OrderPlaced", "order-service"),
    ("StockReserved", "inventory-service"),
    ("PaymentProcessed", "payment-service"),
    ("InvoiceCreated", "billing-service"),
    ("ParcelPacked", "warehouse-service"),
    ("ShipmentCreated", "shipping-service"),
    ("CustomerNotified", "notification-service"),
    ("OrderCompleted", "order-service"),
)
FEWEST = 6
# Fills an envelope up to 600 bytes, the size that is compared.
NOTE = "Leave the parcel with the neighbours on the second floor, please; the bell is broken. "


@dataclass
class Order:
    """An order on its way: its ids, and the id of its last event."""

    correlation: str
    order_id: str
    customer_id: str
    steps: int
    done: int = 0
    last: str | None = None


@dataclass
class Step:
    """One event of an order, in no format yet."""

    order: Order
    event_id: str
    cause: str | None
    type: str
    service: str
    time_us: int


@dataclass
class Workload:
    """An endless stream of events; `begun` has the ids of the orders that have one."""

    seed: int
    begun: list[tuple[str, str, str]] = field(default_factory=list)
    _made: int = 0

    def __iter__(self) -> Iterator[Step]:
        """Yield events: each of a random open order, its next one."""
        dice = random.Random(self.seed)
        time_us = 1_790_000_000_000_000
        orders = [self._begin(dice) for _ in range(OPEN_ORDERS)]
        while True:
            place = dice.randrange(OPEN_ORDERS)
            order = orders[place]
            time_us += 25
            event_id = _uuid(dice)
            # The last step is always the last: an order of six leaves out the two before it.
            at = order.done if order.done < order.steps - 1 else len(STEPS) - 1
            if order.last is None:
                self.begun.append((order.correlation, order.order_id, order.customer_id))
            yield Step(order, event_id, order.last, *STEPS[at], time_us)
            order.last = event_id
            order.done += 1
            if order.done == order.steps:
                orders[place] = self._begin(dice)

    def _begin(self, dice: random.Random) -> Order:
        number = self._made
        self._made += 1
        # A customer has some twenty orders here: a search that has something to list.
        customer = dice.randrange(max(1, number // 20) + 50)
        ids = (_uuid(dice), f"order-{self.seed}-{number}", f"customer-{self.seed}-{customer}")
        return Order(*ids, steps=dice.randint(FEWEST, len(STEPS)))


def _uuid(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


def envelope(step: Step) -> str:
    """Return the event in the native envelope, some 600 bytes of JSON."""
    order = step.order
    cause = f'"{step.cause}"' if step.cause else "null"
    return (
        f'{{"eventId":"{step.event_id}","eventType":"{step.type}","schemaVersion":"1",'
        f'"timestamp":{step.time_us // 1000},"correlationId":"{order.correlation}",'
        f'"causationId":{cause},"source":"{step.service}",'
        f'"payload":{{"orderId":"{order.order_id}","customerId":"{order.customer_id}",'
        '"items":[{"sku":"tea-darjeeling-250","quantity":2,"price":"11.90"}],'
        f'"currency":"EUR","total":"23.80","note":"{(NOTE * 2)[:170]}"}}}}'
    )


def span(step: Step) -> str:
    """Return the event as a list of one span in Zipkin's JSON v2, of about the same size."""
    order = step.order
    trace = order.correlation.replace("-", "")
    parent = f'"parentId":"{_span_id(step.cause)}",' if step.cause else ""
    return (
        f'[{{"traceId":"{trace}","id":"{_span_id(step.event_id)}",{parent}'
        f'"kind":"CONSUMER","name":"{step.type}","timestamp":{step.time_us},"duration":900,'
        f'"localEndpoint":{{"serviceName":"{step.service}"}},'
        '"remoteEndpoint":{"serviceName":"kafka"},'
        f'"tags":{{"orderId":"{order.order_id}","customerId":"{order.customer_id}",'
        '"sku":"tea-darjeeling-250","quantity":"2","price":"11.90",'
        f'"currency":"EUR","total":"23.80","note":"{(NOTE * 2)[:163]}"}}}}]'
    )


def _span_id(event_id: str) -> str:
    return event_id.replace("-", "")[16:]


def lines(steps: Iterable[Step], *, spans: bool) -> Iterator[str]:
    """Return what Kafka's console producer reads: the order's id, a tab, the value."""
    write = span if spans else envelope
    return (f"{step.order.order_id}\t{write(step)}\n" for step in steps)


@dataclass(frozen=True)
class Content:
    """The same events for each system, in a topic of its own; `ids` are those of the flows."""

    broker: str
    name: str
    events: int
    ids: list[tuple[str, str, str]] = field(default_factory=list, repr=False)

    def topic(self, *, spans: bool) -> str:
        """Return the name of the topic of envelopes or of spans."""
        return f"{'spans' if spans else 'orders'}-{self.name}"

    def fill(self, *, spans: bool, events: int | None = None) -> None:
        """Make a topic and put the events into it; all, or the first ones."""
        ensure_topics([self.broker], {self.topic(spans=spans): PARTITIONS})
        workload = Workload(SEED)
        sender = Sender(self.broker, self.topic(spans=spans))
        steps = itertools.islice(workload, self.events if events is None else events)
        sender.send(lines(steps, spans=spans))
        sender.close()
        self.ids[:] = workload.begun


class Sender:
    """Kafka's own console producer: it costs a fraction of what a Python one would."""

    def __init__(self, broker: str, topic: str) -> None:
        """Start it; the topic exists."""
        options = ["--bootstrap-server", broker, "--topic", topic]
        options += ["--property", "parse.key=true", "--batch-size", "65536", "--timeout", "20"]
        java = ["java", "-Xmx256m", "-cp", f"{JARS}/*"]
        quiet = subprocess.DEVNULL
        self._popen = subprocess.Popen(
            [*java, "org.apache.kafka.tools.ConsoleProducer", *options],
            stdin=subprocess.PIPE,
            stdout=quiet,
            stderr=quiet,
            text=True,
        )

    @property
    def _pipe(self) -> IO[str]:
        assert self._popen.stdin
        return self._popen.stdin

    def send(self, what: Iterable[str]) -> None:
        """Hand lines over as fast as they are taken."""
        self._pipe.writelines(what)

    def close(self) -> None:
        """Send the rest and end. Raises CalledProcessError when it failed."""
        self._pipe.close()
        code = self._popen.wait(120)
        if code:
            raise subprocess.CalledProcessError(code, self._popen.args)
