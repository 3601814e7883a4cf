"""The orchestrator at work: a reply comes, the saga moves, the next command goes out."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from tracing.demo.events import (
    COMMANDS,
    COMPLETED,
    SAGA_COMMANDS,
    SAGA_ORDERS,
    SAGA_REPLIES,
    SUBMITTED,
    Kind,
)
from tracing.demo.orchestrator.plan import begin, react
from tracing.demo.outbox import FIRST_WAIT_S, longer
from tracing.demo.publishing import Carrier, Context, Publisher, ShopEvent, read_event
from tracing.domain.errors import BrokerUnavailableError
from tracing.kafka.producer import RecordRefusedError

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from tracing.demo.orchestrator.journal import Journal
    from tracing.demo.orchestrator.plan import Step
    from tracing.kafka.group_consumer import GroupConsumer

log = logging.getLogger(__name__)

NAME: Final = "orchestrator"
TOPICS: Final = (SAGA_ORDERS, SAGA_REPLIES)
POLL_MS: Final = 100


class Orchestrator:
    """Runs all sagas in one thread.

    What it decides is in its journal before it is said, and a record counts as read after that: a
    command may be sent twice after a crash, under one event id, and the services skip the second.
    It has no clock: a step that hangs is for eventviz to show.
    """

    def __init__(
        self, consumer: GroupConsumer, carrier: Carrier, journal: Journal, tracer: Tracer
    ) -> None:
        """Take a connected consumer, which is closed at the end of `run`."""
        self._consumer = consumer
        self._carrier = carrier
        self._journal = journal
        self._publisher = Publisher(carrier, source=NAME, tracer=tracer)
        self.joined = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a broker that is away is waited for."""
        wait_s = FIRST_WAIT_S
        try:
            self._send()
            while not stop.is_set():
                try:
                    self._read()
                except BrokerUnavailableError as error:
                    if wait_s == FIRST_WAIT_S:
                        log.warning("%s: %s Trying again until it does.", NAME, error)
                    stop.wait(wait_s)
                    wait_s = longer(wait_s)
                    continue
                wait_s = FIRST_WAIT_S
        finally:
            self._consumer.close()

    def _read(self) -> None:
        for record in self._consumer.poll(POLL_MS):
            found = read_event(record)
            if found is not None and found[0].event_type != COMPLETED:
                self._hear(*found)
                self._send()
            self._consumer.done(record)
        if self._consumer.has_joined():
            self.joined.set()

    def _hear(self, event: ShopEvent, context: Context) -> None:
        """Move the saga and write down what follows, together."""
        saga_id = event.correlation_id
        with self._journal.transaction():
            step = self._decide(event)
            if step is None:
                log.info("%s: nobody waits for %s of %r", NAME, event.event_type, saga_id[:80])
                return
            self._journal.keep(saga_id, step.saga)
            if step.say is None:
                return
            is_command = step.say in COMMANDS
            message = self._publisher.compose(
                step.say,
                step.saga.payload,
                context,
                topic=SAGA_COMMANDS if is_command else SAGA_ORDERS,
                kind=Kind.COMMAND if is_command else Kind.EVENT,
            )
            self._journal.put(message)

    def _decide(self, event: ShopEvent) -> Step | None:
        saga = self._journal.saga(event.correlation_id)
        if event.event_type == SUBMITTED:
            return begin(event.payload) if saga is None else None
        return react(saga, event.event_type, event.payload) if saga else None

    def _send(self) -> None:
        """Bring to Kafka what the journal holds, in order."""
        for message in self._journal.outgoing():
            try:
                self._carrier.deliver(message.topic, message.key, message.value, message.headers)
            except RecordRefusedError as error:
                # A stranger's order may be too large to be repeated; the others go on.
                log.warning("%s: %s", NAME, error)
            self._journal.sent(message.number)
