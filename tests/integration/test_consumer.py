"""The log's consumer against the embedded broker: what damaged batches do to the rest."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.servers.processes import wait_for
from tests.strangers.hostile import NotText
from tests.strangers.producing import Sent, create_topics, send
from tracing.domain.record import Record
from tracing.kafka.consumer import LogConsumer, Place

pytestmark = [pytest.mark.broker, pytest.mark.slow]

PARTITIONS = 40


@pytest.fixture
def topic(broker: str) -> str:
    name = f"many-{uuid.uuid4().hex[:8]}"
    create_topics(broker, [name], partitions=PARTITIONS)
    return name


@pytest.fixture
def consumer(broker: str, topic: str) -> Iterator[LogConsumer]:
    found = LogConsumer([broker], group="test", max_record_bytes=100_000)
    found.assign({Place(topic, number): 0 for number in range(PARTITIONS)})
    yield found
    found.close()


def read(consumer: LogConsumer, count: int) -> list[Record]:
    found: list[Record] = []

    def enough() -> bool:
        found.extend(record for part in consumer.poll(5_000) for record in part.each())
        return len(found) >= count

    wait_for(enough, f"{count} records")
    return found


@pytest.mark.timed
def test_the_records_of_many_partitions_do_not_wait_for_a_poisoned_one(
    broker: str, topic: str, consumer: LogConsumer
) -> None:
    bad = Sent(topic, b"lost", b"k", ((NotText("x"), b"1"),), partition=7)
    for _ in range(5):
        send(broker, [bad])
    good = [Sent(topic, b"kept", partition=number) for number in range(PARTITIONS)]
    send(broker, good)
    begun = time.monotonic()

    found = read(consumer, PARTITIONS + 5)

    # Asking each partition alone, as it once was, took 8 s for each of the five bad batches.
    assert time.monotonic() - begun < 20
    assert sorted((row.partition, row.offset) for row in found if row.error) == [
        (7, offset) for offset in range(5)
    ]
    assert sorted(row.partition for row in found if row.value) == list(range(PARTITIONS))


def test_what_is_not_stored_is_not_told_to_the_outside(
    broker: str, topic: str, consumer: LogConsumer
) -> None:
    send(broker, [Sent(topic, b"x", partition=number) for number in (0, 0, 0, 1)])
    read(consumer, 4)

    consumer.commit({Place(topic, 0): 1})

    places = [TopicPartition(topic, number) for number in range(2)]
    group = KafkaConsumer(bootstrap_servers=[broker], group_id="test", enable_auto_commit=False)
    try:
        assert [group.committed(place) for place in places] == [1, 1]
    finally:
        group.close()
