"""Our faces of the Kafka client: nothing is lost on the way, errors are our own."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers.processes import free_port, wait_for
from tracing.domain.errors import BrokerUnavailableError
from tracing.domain.record import Record
from tracing.kafka.cluster import Cluster
from tracing.kafka.group_consumer import GroupConsumer
from tracing.kafka.producer import Producer, RecordRefusedError, ensure_topics

pytestmark = [pytest.mark.broker, pytest.mark.slow]


@pytest.fixture
def topic(broker: str) -> str:
    name = f"clients-{uuid.uuid4().hex[:8]}"
    ensure_topics([broker], {name: 1})
    return name


@pytest.fixture
def producer(broker: str) -> Iterator[Producer]:
    made = Producer([broker], client_id="test")
    yield made
    made.close()


def member(broker: str, topic: str) -> GroupConsumer:
    return GroupConsumer(
        [broker], group=f"readers of {topic}", topics=[topic], session_timeout_ms=2_000
    )


def read(consumer: GroupConsumer, count: int) -> list[Record]:
    found: list[Record] = []

    def enough() -> list[Record]:
        found.extend(consumer.poll(50))
        return found if len(found) >= count else []

    return wait_for(enough, f"{count} records")


def test_a_record_arrives_as_it_was_sent(broker: str, topic: str, producer: Producer) -> None:
    headers = [("a", b"1"), ("a", b"\xff\x00")]

    at = producer.send(topic, b"\x00key", b"\xffvalue", headers).coordinates()
    tombstone = producer.send(topic, b"gone", None, partition=0).coordinates()

    consumer = member(broker, topic)
    first, second = read(consumer, 2)
    consumer.close()
    assert (first.key, first.value, first.headers) == (b"\x00key", b"\xffvalue", tuple(headers))
    assert first.coordinates == f"{at.topic}[{at.partition}]@{at.offset}"
    assert (second.key, second.value, second.offset) == (b"gone", None, tombstone.offset)


def test_what_was_not_done_is_read_again(broker: str, topic: str, producer: Producer) -> None:
    for value in (b"0", b"1", b"2"):
        producer.send(topic, b"k", value).coordinates()
    first = member(broker, topic)
    zero, _, two = read(first, 3)
    # Out of order, as a slow payment does it: the one between is still at work.
    first.done(two)
    first.done(zero)
    first.close()

    second = member(broker, topic)
    again = read(second, 2)
    second.close()

    assert [record.value for record in again] == [b"1", b"2"]


def test_a_topic_is_created_once(broker: str, topic: str) -> None:
    other = f"{topic}-other"

    ensure_topics([broker], {topic: 1, other: 2})

    ensure_topics([broker], {topic: 1, other: 2})


def test_two_may_create_the_same_topics_at_once(broker: str, topic: str) -> None:
    wanted = {f"{topic}-{number}": 1 for number in range(5)}

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(ensure_topics, [broker], wanted) for _ in range(3)]:
            done.result()

    with contextlib.closing(Cluster([broker])) as cluster:
        assert set(wanted) <= {found.name for found in cluster.topics()}


def test_a_broker_that_is_away_is_named() -> None:
    address = f"127.0.0.1:{free_port()}"

    with pytest.raises(BrokerUnavailableError, match=address):
        Producer([address], client_id="test", timeout_ms=500)
    with pytest.raises(BrokerUnavailableError, match=address):
        ensure_topics(["nonsense", address], {"orders": 1}, timeout_ms=500)


def test_a_topic_that_cannot_be_is_an_error_of_ours(producer: Producer, topic: str) -> None:
    with pytest.raises(RecordRefusedError, match="illegal"):
        producer.send("no topic / at all", b"k", b"v")
    with pytest.raises(RecordRefusedError, match="partition"):
        producer.send(topic, b"k", b"v", partition=7)


def test_nulls_arrive_as_nulls(broker: str, topic: str, producer: Producer) -> None:
    headers = [("a", None), ("a", b""), ("b", None)]

    producer.send(topic, None, None, headers, partition=0).coordinates()
    producer.send(topic, b"", b"", [("", None)]).coordinates()

    consumer = member(broker, topic)
    first, second = read(consumer, 2)
    consumer.close()
    assert (first.key, first.value, first.headers) == (None, None, tuple(headers))
    assert (second.key, second.value, second.headers) == (b"", b"", (("", None),))


def test_it_knows_the_partitions_of_a_topic(broker: str, topic: str, producer: Producer) -> None:
    ensure_topics([broker], {f"{topic}-three": 3})

    assert producer.partitions(topic) == {0}
    assert producer.partitions(f"{topic}-three") == {0, 1, 2}
