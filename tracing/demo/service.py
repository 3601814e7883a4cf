"""What all five services share: read events, answer each once, and let nobody wait."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from tracing.demo.events import COMMANDS, SAGA_REPLIES, Kind, heard_on
from tracing.demo.failing import BACKOFF_S, due_ms, failed, source_topic, waits_for
from tracing.demo.outbox import FIRST_WAIT_S, longer
from tracing.demo.publishing import Context, Message, Payload, Publisher, ShopEvent, read_event
from tracing.demo.versions import understood
from tracing.domain.errors import BrokerUnavailableError
from tracing.domain.record import Record
from tracing.kafka.producer import RecordRefusedError

if TYPE_CHECKING:
    from tracing.demo.store import Store
    from tracing.kafka.group_consumer import GroupConsumer

log = logging.getLogger(__name__)

MAX_STUCK: Final = 10_000
POLL_MS: Final = 100


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a service says to an event, `after_s` seconds of work.

    With `overtaken_by` the reply happens then, but gets stuck on its way out until the service
    has sent an event of that type about the same order. One that is not `settled` leaves the event
    open: a person may send it again, and it is tried again.
    """

    event_type: str
    payload: Payload
    after_s: float = 0.0
    overtaken_by: str | None = None
    settled: bool = True


Handler = Callable[[ShopEvent], Reply | None]


class Service(msgspec.Struct, frozen=True):
    """A service: its name, what it does about which event or command, what it may answer to each.

    `begins` is the event that it tells without having heard one.
    """

    name: str
    handlers: dict[str, Handler]
    tells: dict[str, tuple[str, ...]]
    begins: str = ""

    @property
    def topics(self) -> list[str]:
        """Return the topics that tell of its events."""
        return sorted({heard_on(event_type) for event_type in self.handlers})

    @property
    def answers(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the event it hears and the types that it may tell then, line by line."""
        own = [("", (self.begins,))] if self.begins else []
        return own + [(heard, told) for heard, told in self.tells.items() if heard not in COMMANDS]

    @property
    def obeys(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the command it hears and the types that it may reply, line by line."""
        return [(heard, told) for heard, told in self.tells.items() if heard in COMMANDS]


class Worker:
    """One service at work, in a thread of its own.

    Work that takes time is put on a clock and not slept through, so a slow payment holds up no
    other order. A record counts as read when its reply has arrived in Kafka, and its event as
    handled too: who crashes in between says the same thing again, under the same event id. A
    record that cannot be handled waits in retry topics and ends among the dead letters.
    """

    def __init__(
        self,
        service: Service,
        consumer: GroupConsumer,
        publisher: Publisher,
        store: Store,
        backoff_s: tuple[float, ...] = BACKOFF_S,
    ) -> None:
        """Take a connected consumer, which is closed at the end of `run`."""
        self._service = service
        self._consumer = consumer
        self._publisher = publisher
        self._store = store
        self._backoff_s = backoff_s
        self._clock: list[tuple[float, int, Callable[[], None]]] = []
        self._ticket = itertools.count()
        self._in_hand: set[str] = set()
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
                self._work()
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
        """Handle a record now, or a copy that waits when it is due and ours."""
        if waits_for(record) not in {None, self._service.name}:
            self._consumer.done(record)
            return
        wait_s = due_ms(record) / 1_000 - time.time()
        if wait_s > 0:
            self._later(wait_s, lambda: self._handle(record))
        else:
            self._handle(record)

    def _later(self, wait_s: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._clock, (time.monotonic() + wait_s, next(self._ticket), work))

    def _work(self) -> None:
        while self._clock and self._clock[0][0] <= time.monotonic():
            heapq.heappop(self._clock)[2]()

    def _handle(self, record: Record) -> None:
        found = read_event(record, topic=source_topic(record))
        handler = self._service.handlers.get(found[0].event_type) if found else None
        if found is None or handler is None:
            self._consumer.done(record)
            return
        event, context = found
        if event.event_id in self._in_hand or self._is_handled(event):
            log.info(
                "%s: Skipping duplicate event %s of %r (%r)",
                self._service.name,
                event.event_type,
                context.order_id[:80],
                event.event_id[:80],
            )
            self._consumer.done(record)
            return
        try:
            reply = handler(understood(event))
        except Exception as error:  # noqa: BLE001 - whatever it is, the next record goes on
            self._fail(record, event, error)
            return
        self._in_hand.add(event.event_id)
        if reply is None:
            self._finish(event, record)
        else:
            self._later(reply.after_s, lambda: self._answer(reply, event, context, record))

    def _is_handled(self, event: ShopEvent) -> bool:
        return self._store.is_handled(self._service.name, event.event_id)

    def _fail(self, record: Record, event: ShopEvent, error: Exception) -> None:
        """Put a record that cannot be handled where it waits for another try, or for a person."""
        found = failed(
            record,
            error,
            service=self._service.name,
            now_ms=time.time_ns() // 1_000_000,
            backoff_s=self._backoff_s,
        )
        name, kind = type(error).__name__, event.event_type
        log.info("%s: %s on %s, to %s", self._service.name, name, kind, found.topic)
        self._deliver(lambda: self._publisher.forward(record, found.topic, found.headers))
        self._consumer.done(record)

    def _answer(self, reply: Reply, event: ShopEvent, context: Context, record: Record) -> None:
        said = (reply.event_type, reply.payload, context)
        if event.event_type in COMMANDS:
            message = self._publisher.compose(*said, topic=SAGA_REPLIES, kind=Kind.REPLY)
        else:
            message = self._publisher.compose(*said)
        if reply.overtaken_by:
            self._keep_stuck((context.order_id, reply.overtaken_by), message)
        else:
            self._deliver(lambda: self._publisher.send(message))
            freed = self._stuck.pop((context.order_id, reply.event_type), None)
            if freed:
                self._deliver(lambda: self._publisher.send(freed))
        self._finish(event, record, settled=reply.settled)

    def _finish(self, event: ShopEvent, record: Record, *, settled: bool = True) -> None:
        """Remember the event as handled, now that its effect is in Kafka."""
        if settled:
            self._store.mark_handled(self._service.name, event.event_id)
        self._in_hand.discard(event.event_id)
        self._consumer.done(record)

    def _deliver(self, send: Callable[[], object]) -> None:
        try:
            send()
        except RecordRefusedError as error:
            # A stranger's order may be too large to be repeated; the others go on.
            log.warning("%s: %s", self._service.name, error)

    def _keep_stuck(self, key: tuple[str, str], message: Message) -> None:
        self._stuck[key] = message
        if len(self._stuck) > MAX_STUCK:
            self._stuck.popitem(last=False)
