"""A real group on Apache Kafka: who holds what, who is idle, and what a topic keeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.servers.processes import PATIENCE_S, wait_for
from tracing.jobs.groups import LookAtCluster
from tracing.kafka.cluster import Cluster
from tracing.kafka.group_consumer import GroupConsumer
from tracing.kafka.producer import Producer, ensure_topics
from tracing.models import ConsumerGroup, TopicFacts
from tracing.projections.catalogue import Catalogue

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

GROUP, TOPIC = "stock-service", "stock-with-two-partitions"


@contextmanager
def members(server: str, count: int) -> Iterator[None]:
    """Let so many members of the group poll, each in a thread of its own."""
    stop = threading.Event()

    def poll() -> None:
        member = GroupConsumer([server], group=GROUP, topics=[TOPIC], session_timeout_ms=6_000)
        while not stop.is_set():
            for record in member.poll(100):
                member.done(record)
        member.close()

    threads = [threading.Thread(target=poll) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)


def snapshots(step: LookAtCluster, fits: Callable[[ConsumerGroup], bool]) -> ConsumerGroup:
    """Take snapshots until one of the group fits."""

    def look() -> ConsumerGroup | None:
        step.run()
        row = ConsumerGroup.objects.filter(name=GROUP).first()
        return row if row is not None and fits(row) else None

    return wait_for(look, "a snapshot that fits")


def held(row: ConsumerGroup) -> list[int]:
    """Return how many partitions each member holds, in order."""
    return sorted(len(partitions or []) for *_, partitions in row.members)


def read(row: ConsumerGroup) -> int:
    """Return how many records the group has committed."""
    return sum(committed for _, _, committed, _ in row.offsets)


def test_a_snapshot_follows_a_group_through_a_rebalance(apache: str) -> None:
    ensure_topics([apache], {TOPIC: 2})
    cluster = Cluster([apache])
    uuid = next(topic.uuid for topic in cluster.topics() if topic.name == TOPIC)
    cluster.close()
    Catalogue().partition(topic=TOPIC, topic_uuid=uuid, number=0)
    producer = Producer([apache], client_id="test")
    for number in range(10):
        producer.send(TOPIC, b"%d" % number, b"{}")
    producer.flush()
    producer.close()
    step = LookAtCluster([apache])

    with members(apache, 3):
        shared = snapshots(step, lambda row: held(row) == [0, 1, 1] and read(row) == 10)
    empty = snapshots(step, lambda row: not row.members)
    step.close()

    assert shared.state == "Stable"
    assert shared.assignor
    assert (read(empty), empty.lag) == (10, 0)
    facts = TopicFacts.objects.get()
    assert facts.retention_ms == 7 * 86_400_000
    assert facts.cleanup == "delete"
