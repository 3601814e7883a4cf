"""Send records: a thin, typed face of kafka-python's producer that speaks our errors."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import (
    InvalidRecordError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAlreadyExistsError,
)

from tracing.domain.errors import BrokerUnavailableError, EventvizError
from tracing.kafka import exact
from tracing.kafka.connection import PLAINTEXT, Security
from tracing.kafka.welcome import check_welcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracing.domain.record import Header


# About the record itself: sent again, it would be refused again.
_REFUSALS = (InvalidRecordError, InvalidTopicError, MessageSizeTooLargeError)


class RecordNotSentError(EventvizError):
    """Kafka did not take the record."""


class RecordRefusedError(RecordNotSentError):
    """Kafka will not take this record, however often it is sent."""


class Coordinates(NamedTuple):
    """Where Kafka put a record."""

    topic: str
    partition: int
    offset: int


class Sent:
    """A record on its way; ask for `coordinates` to know that it arrived."""

    def __init__(self, future: Any) -> None:
        """Wrap the client's future."""
        self._future = future

    def coordinates(self, timeout_s: float = 10.0) -> Coordinates:
        """Wait for the broker's acknowledgement. Raises RecordNotSentError."""
        try:
            found = self._future.get(timeout=timeout_s)
        except _REFUSALS as error:
            raise RecordRefusedError(str(error)) from error
        except KafkaError as error:
            raise RecordNotSentError(str(error)) from error
        return Coordinates(found.topic, found.partition, found.offset)


class Producer:
    """A producer that waits for all replicas (acks=all) and never writes a record twice itself."""

    def __init__(
        self,
        servers: Sequence[str],
        security: Security = PLAINTEXT,
        *,
        client_id: str,
        linger_ms: int = 2,
        timeout_ms: int = 10_000,
        max_bytes: int = 1024 * 1024,
    ) -> None:
        """Connect. Raises BrokerUnavailableError within `timeout_ms`.

        A record above `max_bytes` is refused here; the broker has a limit of its own.
        """
        check_welcome(servers, security, timeout_ms=timeout_ms)
        exact.install()
        try:
            self._client = KafkaProducer(
                bootstrap_servers=list(servers),
                client_id=client_id,
                acks="all",
                enable_idempotence=True,
                linger_ms=linger_ms,
                bootstrap_timeout_ms=timeout_ms,
                max_block_ms=timeout_ms,
                request_timeout_ms=timeout_ms,
                delivery_timeout_ms=timeout_ms + linger_ms,
                max_request_size=max_bytes,
                value_serializer=exact.Wrapped(),
                **security.options(),
            )
        except KafkaError as error:
            raise BrokerUnavailableError(", ".join(servers)) from error

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
    ) -> Sent:
        """Hand a record over and return at once; it is sent in the background, byte for byte.

        Headers keep their order, duplicates and nulls. Without a partition the key decides, as in
        Kafka's own clients. Blocks only while the topic is unknown or the buffer is full.
        Raises RecordRefusedError, and RecordNotSentError: then nothing was handed over.
        """
        try:
            future = self._client.send(
                topic,
                value=(value,),
                key=key,
                headers=exact.writable(headers),
                partition=partition,
            )
        except (*_REFUSALS, ValueError, TypeError) as error:
            # No topic may have this name, or the topic has no such partition.
            raise RecordRefusedError(str(error)) from error
        except KafkaError as error:
            raise RecordNotSentError(str(error)) from error
        return Sent(future)

    def deliver(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header] = ()
    ) -> Coordinates:
        """Send a record and wait until it arrived. Raises RecordNotSentError."""
        return self.send(topic, key, value, headers).coordinates()

    def partitions(self, topic: str) -> frozenset[int]:
        """Return the numbers of a topic's partitions. Raises RecordNotSentError without an answer.

        A look-up at first, then from the client's memory.
        """
        try:
            return frozenset(self._client.partitions_for(topic) or ())
        except KafkaError as error:
            raise RecordNotSentError(str(error)) from error

    def flush(self, timeout_s: float = 10.0) -> None:
        """Wait until everything handed over has arrived. Raises RecordNotSentError."""
        try:
            self._client.flush(timeout=timeout_s)
        except KafkaError as error:
            raise RecordNotSentError(str(error)) from error

    def close(self, timeout_s: float = 2.0) -> None:
        """Send what is left and disconnect; what could not be sent by then is dropped."""
        try:
            self._client.close(timeout=timeout_s)
        except KafkaError:
            # It gives up closing over what it cannot send, and would send that behind our back.
            self._client._sender.force_close()  # noqa: SLF001


def ensure_topics(
    servers: Sequence[str],
    partitions: Mapping[str, int],
    security: Security = PLAINTEXT,
    *,
    timeout_ms: int = 10_000,
) -> None:
    """Create the topics that do not exist yet, with so many partitions each.

    Raises BrokerUnavailableError.
    """
    check_welcome(servers, security, timeout_ms=timeout_ms)
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=list(servers),
            bootstrap_timeout_ms=timeout_ms,
            request_timeout_ms=timeout_ms,
            **security.options(),
        )
        try:
            there = set(admin.list_topics())
            _create(admin, {name: n for name, n in partitions.items() if name not in there})
        finally:
            admin.close()
    except KafkaError as error:
        raise BrokerUnavailableError(f"{', '.join(servers)}: {error}") from error


def _create(admin: Any, partitions: Mapping[str, int]) -> None:
    """Create topics in one request: each of its own costs the embedded broker 40 ms."""
    wanted = {topic: {"num_partitions": count} for topic, count in partitions.items()}
    try:
        if wanted:
            admin.create_topics(wanted, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        # Somebody was quicker with one, which must not hide that another was refused.
        for topic, one in wanted.items():
            with contextlib.suppress(TopicAlreadyExistsError):
                admin.create_topics({topic: one}, wait_for_metadata=True)
