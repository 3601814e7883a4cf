"""Send records to a broker the way a stranger does: with the Kafka client alone."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import TopicAlreadyExistsError


@dataclass(frozen=True)
class Sent:
    """A record to send; a timestamp makes it the same on every broker."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_ms: int | None = None
    partition: int | None = None


def create_topics(broker: str, names: Iterable[str], partitions: int = 3) -> None:
    """Create topics, and wait until the broker knows them."""
    admin = KafkaAdminClient(bootstrap_servers=broker)
    try:
        for name in names:
            # A client that still asks for a deleted topic may have made it anew meanwhile.
            with contextlib.suppress(TopicAlreadyExistsError):
                admin.create_topics({name: {"num_partitions": partitions}}, wait_for_metadata=True)
    finally:
        admin.close()


def delete_topics(broker: str, names: Iterable[str]) -> None:
    """Delete topics, and wait until the broker has forgotten them.

    One of the same name may be there at once: a client that still asks for it makes it anew.
    """
    admin = KafkaAdminClient(bootstrap_servers=broker)
    wanted = set(names)
    try:
        gone = {(name, number) for name, number in _topics(admin) if name in wanted}
        admin.delete_topics(list(wanted))
        deadline = time.monotonic() + 10
        while gone & _topics(admin):
            assert time.monotonic() < deadline, "the topics are still there"
    finally:
        admin.close()


def _topics(admin: KafkaAdminClient) -> set[tuple[str, str]]:
    """Return each topic with its number, which no other has, not even a later one of its name."""
    return {(topic["name"], str(topic["topic_id"])) for topic in admin.describe_topics()}


def send(broker: str, records: Iterable[Sent]) -> list[tuple[str, int, int]]:
    """Send the records in order; return topic, partition and offset of each once acknowledged."""
    producer = KafkaProducer(
        bootstrap_servers=broker, acks="all", linger_ms=5, max_request_size=4_000_000
    )
    try:
        futures = [
            producer.send(
                record.topic,
                value=record.value,
                key=record.key,
                headers=list(record.headers),
                timestamp_ms=record.timestamp_ms,
                partition=record.partition,
            )
            for record in records
        ]
        producer.flush(timeout=30)
        places = [future.get(timeout=30) for future in futures]
    finally:
        producer.close()
    return [(place.topic, place.partition, place.offset) for place in places]


def envelope(
    event_type: str,
    *,
    correlation_id: str,
    event_id: str | None = None,
    causation_id: str | None = None,
    payload: object = None,
    timestamp: str | int | None = None,
) -> bytes:
    """Return a native envelope as bytes."""
    body = {
        "eventId": event_id or str(uuid.uuid4()),
        "eventType": event_type,
        "schemaVersion": 1,
        "timestamp": timestamp,
        "correlationId": correlation_id,
        "causationId": causation_id,
        "payload": payload,
    }
    return json.dumps({name: value for name, value in body.items() if value is not None}).encode()
