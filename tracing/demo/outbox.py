"""What the shop has to say, kept until Kafka has it."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from tracing.domain.errors import BrokerUnavailableError, EventvizError
from tracing.kafka.producer import RecordNotSentError, RecordRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracing.domain.record import Header
    from tracing.kafka.producer import Coordinates, Producer

log = logging.getLogger(__name__)

# Waits after a failure: growing, so that a broker that comes back is not run over.
FIRST_WAIT_S: Final = 0.2
LONGEST_WAIT_S: Final = 5.0


class ShopClosedError(EventvizError):
    """The shop has closed before Kafka was back."""


def longer(wait_s: float) -> float:
    """Return how long to wait the next time."""
    return min(wait_s * 2, LONGEST_WAIT_S)


class Outbox:
    """Delivers for all services through one producer, which is made anew when it failed.

    Who has something to say waits while Kafka is away. A record whose acknowledgement was lost is
    sent again: it may stand in the topic twice, with one event id.
    """

    def __init__(self, connect: Callable[[], Producer], stop: threading.Event) -> None:
        """Connect. Raises what `connect` raises: only a broker that was there is waited for."""
        self._connect = connect
        self._stop = stop
        self._lock = threading.Lock()
        self._producer: Producer | None = connect()
        self._away_since: float | None = None

    def deliver(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header] = ()
    ) -> Coordinates:
        """Return where Kafka put the record, however long that takes.

        Raises RecordRefusedError for a record that Kafka will never take, and ShopClosedError.
        """
        wait_s = FIRST_WAIT_S
        while not self._stop.is_set():
            producer = None
            try:
                producer = self._current()
                found = producer.deliver(topic, key, value, headers)
            except RecordRefusedError:
                raise
            except (RecordNotSentError, BrokerUnavailableError) as error:
                self._lose(producer, error)
            else:
                self._rejoice()
                return found
            self._stop.wait(wait_s)
            wait_s = longer(wait_s)
        raise ShopClosedError

    def close(self, timeout_s: float = 2.0) -> None:
        """Disconnect."""
        producer, self._producer = self._producer, None
        if producer:
            producer.close(timeout_s)

    def _current(self) -> Producer:
        with self._lock:
            if self._stop.is_set():
                raise ShopClosedError
            if self._producer is None:
                self._producer = self._connect()
            return self._producer

    def _lose(self, producer: Producer | None, error: EventvizError) -> None:
        """Drop the producer that failed, once; all that it still holds has been told so."""
        with self._lock:
            if self._away_since is None:
                self._away_since = time.monotonic()
                log.warning("%s Orders wait; trying again until it takes them.", error)
            if producer is None or producer is not self._producer:
                return
            self._producer = None
        producer.close(timeout_s=0)

    def _rejoice(self) -> None:
        with self._lock:
            since, self._away_since = self._away_since, None
        if since is not None:
            log.warning("Kafka is back after %.0f s: the orders go on.", time.monotonic() - since)
