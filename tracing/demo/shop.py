"""The whole shop in one process: a thread for each service, the orchestrator and the customers."""

from __future__ import annotations

import enum
import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from tracing.demo import gateway
from tracing.demo.events import FAILING, PARTITIONS
from tracing.demo.failing import BACKOFF_S, dead_letter_topics, retry_topics
from tracing.demo.orchestrator.journal import Journal
from tracing.demo.orchestrator.process import NAME, TOPICS, Orchestrator
from tracing.demo.orders import SOURCE
from tracing.demo.outbox import Outbox, ShopClosedError
from tracing.demo.publishing import Publisher
from tracing.demo.service import Worker
from tracing.demo.services import SERVICES
from tracing.demo.store import Store
from tracing.demo.traffic import place_orders
from tracing.domain.errors import EventvizError
from tracing.kafka.connection import PLAINTEXT, Security
from tracing.kafka.group_consumer import GroupConsumer
from tracing.kafka.producer import Producer, ensure_topics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.trace import Tracer

    from tracing.demo.publishing import ShopEvent

log = logging.getLogger(__name__)

# The embedded broker waits half of it before a group begins.
SESSION_TIMEOUT_MS: Final = 2_000
# The embedded broker answers a waiting fetch late: a new record takes 24 ms, at 500 ms it took 120.
FETCH_MAX_WAIT_MS: Final = 100
JOIN_TIMEOUT_S: Final = 10.0
# Less than what the demo's supervisor grants.
CLOSE_TIMEOUT_S: Final = 3.0
# Where records go that failed: few, so one partition each.
SIDINGS: Final = dict.fromkeys((*retry_topics(FAILING), *dead_letter_topics(FAILING)), 1)


class Part(enum.StrEnum):
    """What can run in a process of its own: the services with their customers, or the rest."""

    SERVICES = "services"
    ORCHESTRATOR = "orchestrator"


class Shop:
    """The running shop; used as a context manager."""

    def __init__(
        self,
        servers: Sequence[str],
        security: Security = PLAINTEXT,
        *,
        rate: float,
        tracer_of: Callable[[str], Tracer],
        store: Store | None = None,
        journal: Journal | None = None,
        backoff_s: tuple[float, ...] = BACKOFF_S,
        only: Part | None = None,
        avro: Mapping[str, Callable[[ShopEvent], bytes]] | None = None,
    ) -> None:
        """Connect; `tracer_of` gives each service the tracer of its name.

        `store` and the orchestrator's `journal` are what survives a restart (none: nothing does);
        `backoff_s` are the waits before a failed record's further tries; `avro` has the topics
        that are not written in JSON.

        Raises BrokerUnavailableError.
        """
        self._rate = rate
        self._avro = avro
        self._store = store or Store(":memory:")
        self._stop = threading.Event()
        self._outbox = Outbox(lambda: _connect(servers, security), self._stop)
        self._failure: EventvizError | None = None
        self._customers = self._publisher(SOURCE, tracer_of)
        self._journal = journal or Journal(":memory:")
        self._workers: dict[str, Worker | Orchestrator] = {}

        def consumer(name: str, topics: Sequence[str]) -> GroupConsumer:
            return GroupConsumer(
                servers,
                security,
                group=name,
                topics=topics,
                session_timeout_ms=SESSION_TIMEOUT_MS,
                fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
            )

        if only is not Part.ORCHESTRATOR:
            for service in SERVICES:
                self._workers[service.name] = Worker(
                    service,
                    consumer(service.name, [*service.topics, *retry_topics(service.topics)]),
                    self._publisher(service.name, tracer_of),
                    self._store,
                    backoff_s,
                )
        if only is not Part.SERVICES:
            self._workers[NAME] = Orchestrator(
                consumer(NAME, TOPICS), self._outbox, self._journal, tracer_of(NAME)
            )
        self._threads = [self._thread(name, it.run) for name, it in self._workers.items()]
        if only is not Part.ORCHESTRATOR:
            self._threads.append(self._thread("customers", self._serve_customers))

    def __enter__(self) -> Shop:
        """Open the doors."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Close: every service leaves its group."""
        self._stop.set()
        deadline = time.monotonic() + CLOSE_TIMEOUT_S
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))
        self._outbox.close(timeout_s=0.5)
        if not any(thread.is_alive() for thread in self._threads):
            self._store.close()
            self._journal.close()

    def wait(self) -> None:
        """Wait until `stop` is called. Raises the error of a service that failed."""
        self._stop.wait()
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """Ask everything to end; safe in a signal handler."""
        self._stop.set()

    def wait_until_open(self, timeout_s: float = JOIN_TIMEOUT_S) -> bool:
        """Wait until every service has its partitions; return whether they all have."""
        deadline = time.monotonic() + timeout_s
        while not (joined := all(it.joined.is_set() for it in self._workers.values())):
            if time.monotonic() > deadline or self._stop.wait(0.02):
                break
        return joined

    def _publisher(self, name: str, tracer_of: Callable[[str], Tracer]) -> Publisher:
        return Publisher(self._outbox, source=name, tracer=tracer_of(name), avro=self._avro)

    def _thread(self, name: str, run: Callable[[threading.Event], None]) -> threading.Thread:
        def guarded() -> None:
            gateway.use(self._store)
            try:
                run(self._stop)
            except ShopClosedError:
                return
            except EventvizError as error:
                log.error("%s: %s", name, error)
                self._fail(error)
            except Exception as error:
                # A service that is gone must not go unnoticed.
                log.exception("%s", name)
                self._fail(EventvizError(f"{name}: {error}"))

        return threading.Thread(target=guarded, name=name, daemon=True)

    def _fail(self, error: EventvizError) -> None:
        self._failure = error
        self._stop.set()

    def _serve_customers(self, stop: threading.Event) -> None:
        # Kafka would keep their orders, but the first flows would show a second of nothing.
        self.wait_until_open()
        place_orders(self._customers, self._rate, stop)


def _connect(servers: Sequence[str], security: Security) -> Producer:
    # A broker that was started anew may have forgotten the topics.
    ensure_topics(servers, {**PARTITIONS, **SIDINGS}, security)
    return Producer(servers, security, client_id="shop", linger_ms=0)
