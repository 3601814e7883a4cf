"""Where the page places orders: the web process's own producer, made when first needed."""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.module_loading import import_string

from tracing.demo import gateway
from tracing.demo.events import PARTITIONS
from tracing.demo.orchestrator.journal import Journal
from tracing.demo.orders import SOURCE, Placed, place_order
from tracing.demo.publishing import Publisher
from tracing.demo.scenarios import Pattern, Scenario
from tracing.demo.store import Store
from tracing.domain.errors import EventvizError
from tracing.kafka.connection import read_security
from tracing.kafka.producer import Producer, ensure_topics

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

# A person waits for the answer.
TIMEOUT_MS: Final = 3_000
# Not the prefix of those that come by themselves: a visitor finds the own order among them.
PREFIX: Final = "WEB"
FIRST_NUMBER: Final = 101

_lock = threading.Lock()
_numbers = itertools.count(FIRST_NUMBER)
_open: list[Producer] = []


def place(scenario: Scenario, pattern: Pattern) -> Placed:
    """Place an order for a visitor; blocks until Kafka has it.

    Raises BrokerUnavailableError or RecordNotSentError within a few seconds.
    """
    producer = _producer()
    try:
        publisher = Publisher(producer, source=SOURCE, tracer=_tracer())
        return place_order(publisher, f"{PREFIX}-{next(_numbers)}", scenario, pattern)
    except EventvizError:
        _forget(producer)
        raise


def open_store() -> Store:
    """Return what the shop remembers, in the file that the settings name."""
    path = Path(settings.EVENTVIZ_SHOP_STORE)
    path.parent.mkdir(parents=True, exist_ok=True)
    return Store(path)


def open_journal() -> Journal:
    """Return what the orchestrator remembers, in a file of its own beside the shop's."""
    path = Path(settings.EVENTVIZ_SHOP_STORE)
    path.parent.mkdir(parents=True, exist_ok=True)
    return Journal(path.with_stem(f"{path.stem}-sagas"))


def is_gateway_up() -> bool:
    """Tell how the switch stands."""
    with contextlib.closing(open_store()) as store:
        return store.is_on(gateway.SWITCH)


def turn_gateway(*, on: bool) -> None:
    """Turn the switch."""
    with contextlib.closing(open_store()) as store:
        store.turn(gateway.SWITCH, on=on)


@functools.cache
def _tracer() -> Tracer:
    tracer: Tracer = import_string(settings.EVENTVIZ_TRACER)(SOURCE)
    return tracer


def _producer() -> Producer:
    with _lock:
        if not _open:
            servers = settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS
            security = read_security(settings.EVENTVIZ_KAFKA_SECURITY)
            # The page may be faster than the shop.
            ensure_topics(servers, PARTITIONS, security, timeout_ms=TIMEOUT_MS)
            _open.append(
                Producer(
                    servers, security, client_id="shop-page", linger_ms=0, timeout_ms=TIMEOUT_MS
                )
            )
        return _open[0]


def _forget(producer: Producer) -> None:
    """Drop a producer that failed, with all that it still holds: the visitor was told so."""
    with _lock:
        if producer in _open:
            _open.remove(producer)
    producer.close(timeout_s=0)
