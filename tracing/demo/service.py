"""What all five services share: read events, answer each once, and let nobody wait."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from tracing.demo.events import TOPIC_OF
from tracing.demo.outbox import FIRST_WAIT_S, longer
from tracing.demo.publishing import Context, Message, Payload, Publisher, ShopEvent, read_event
from tracing.domain.errors import BrokerUnavailableError
from tracing.domain.record import Record
from tracing.kafka.producer import RecordRefusedError

if TYPE_CHECKING:
    from tracing.kafka.group_consumer import GroupConsumer

log = logging.getLogger(__name__)

# How many events a service remembers: more than can be delivered again.
REMEMBERED: Final = 10_000
POLL_MS: Final = 100

Key = TypeVar("Key")
Value = TypeVar("Value")


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a service says to an event, `after_s` seconds of work.

    With `overtaken_by` the reply happens then, but gets stuck on its way out until the service
    has sent an event of that type about the same order.
    """

    event_type: str
    payload: Payload
    after_s: float = 0.0
    overtaken_by: str | None = None


Handler = Callable[[ShopEvent], Reply | None]


class Service(msgspec.Struct, frozen=True):
    """A service: its name, what it does about which event, and what it may answer to each.

    `begins` is the event that it tells without having heard one.
    """

    name: str
    handlers: dict[str, Handler]
    tells: dict[str, tuple[str, ...]]
    begins: str = ""

    @property
    def topics(self) -> list[str]:
        """Return the topics that tell of its events."""
        return sorted({TOPIC_OF[event_type] for event_type in self.handlers})

    @property
    def answers(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the event it hears and the types that it may tell then, line by line."""
        own = [("", (self.begins,))] if self.begins else []
        return own + list(self.tells.items())


class Worker:
    """One service at work, in a thread of its own.

    Work that takes time is put on a clock and not slept through, so a slow payment holds up no
    other order. A record counts as read when its reply has arrived in Kafka.
    """

    def __init__(self, service: Service, consumer: GroupConsumer, publisher: Publisher) -> None:
        """Take a connected consumer, which is closed at the end of `run`."""
        self._service = service
        self._consumer = consumer
        self._publisher = publisher
        self._clock: list[tuple[float, int, Reply, Context, Record]] = []
        self._ticket = itertools.count()
        self._handled: OrderedDict[str, None] = OrderedDict()
        self._stuck: OrderedDict[tuple[str, str], Message] = OrderedDict()
        self.joined = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a broker that is away is waited for."""
        wait_s = FIRST_WAIT_S
        try:
            while not stop.is_set():
                try:
                    self._read()
                except BrokerUnavailableError as error:
                    if wait_s == FIRST_WAIT_S:
                        log.warning("%s: %s Trying again until it does.", self._service.name, error)
                    stop.wait(wait_s)
                    wait_s = longer(wait_s)
                    continue
                wait_s = FIRST_WAIT_S
                self._answer()
        finally:
            self._consumer.close()

    def _read(self) -> None:
        wait_ms = POLL_MS
        if self._clock:
            due_ms = (self._clock[0][0] - time.monotonic()) * 1_000
            wait_ms = max(0, min(POLL_MS, int(due_ms) + 1))
        for record in self._consumer.poll(wait_ms):
            self._take(record)
        if self._consumer.has_joined():
            self.joined.set()

    def _take(self, record: Record) -> None:
        found = read_event(record)
        reply = self._handle(*found) if found else None
        if found is None or reply is None:
            self._consumer.done(record)
            return
        due = time.monotonic() + reply.after_s
        heapq.heappush(self._clock, (due, next(self._ticket), reply, found[1], record))

    def _handle(self, event: ShopEvent, context: Context) -> Reply | None:
        handler = self._service.handlers.get(event.event_type)
        if handler is None:
            return None
        if event.event_id in self._handled:
            log.info(
                "%s: Skipping duplicate event %s of %r (%r)",
                self._service.name,
                event.event_type,
                context.order_id[:80],
                event.event_id[:80],
            )
            return None
        _remember(self._handled, event.event_id, None)
        return handler(event)

    def _answer(self) -> None:
        while self._clock and self._clock[0][0] <= time.monotonic():
            _, _, reply, context, record = heapq.heappop(self._clock)
            message = self._publisher.compose(reply.event_type, reply.payload, context)
            if reply.overtaken_by:
                _remember(self._stuck, (context.order_id, reply.overtaken_by), message)
            else:
                self._send(message)
                freed = self._stuck.pop((context.order_id, reply.event_type), None)
                if freed:
                    self._send(freed)
            self._consumer.done(record)

    def _send(self, message: Message) -> None:
        try:
            self._publisher.send(message)
        except RecordRefusedError as error:
            # A stranger's order may be too large to be repeated; the others go on.
            log.warning("%s: %s", self._service.name, error)


def _remember(memory: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    memory[key] = value
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
