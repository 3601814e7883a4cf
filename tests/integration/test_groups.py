"""The snapshot of a cluster's groups, from a real group on the embedded broker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.utils import timezone

from tests.servers.processes import wait_for
from tracing.domain.errors import BrokerUnavailableError
from tracing.jobs.groups import LookAtCluster, known_ends, store_facts
from tracing.kafka.group_consumer import GroupConsumer
from tracing.kafka.groups import GroupReader, TopicSettings
from tracing.kafka.producer import Producer, ensure_topics
from tracing.models import ConsumerGroup, Partition, TopicFacts
from tracing.projections.catalogue import Catalogue

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

TOPIC = "stock"


@pytest.fixture
def names() -> tuple[str, str]:
    """Return a group and a topic that no other test uses: they share the broker."""
    number = uuid.uuid4().hex[:8]
    return f"stock-service-{number}", f"stock-{number}"


@pytest.fixture
def consumer(broker: str, names: tuple[str, str]) -> Iterator[GroupConsumer]:
    """Yield a member of a group that has read and committed ten records of one partition."""
    group, topic = names
    ensure_topics([broker], {topic: 1})
    producer = Producer([broker], client_id="test")
    for number in range(10):
        producer.send(topic, None, b"%d" % number)
    producer.flush()
    member = GroupConsumer(
        [broker], group=group, topics=[topic], session_timeout_ms=6_000, commit_every_s=0
    )
    seen = 0

    def read() -> bool:
        nonlocal seen
        for record in member.poll(100):
            member.done(record)
            seen += 1
        return seen >= 10

    wait_for(read, "ten records")
    # Commits come with a poll; this one has everything behind it.
    member.poll(10)
    for number in range(5):
        producer.send(topic, None, b"%d" % number).coordinates()
    producer.close()
    yield member
    member.close()


def test_it_stores_members_and_how_far_they_are(
    broker: str, names: tuple[str, str], consumer: GroupConsumer
) -> None:
    step = LookAtCluster([broker], own_group="eventviz")

    step.run()
    step.close()

    row = ConsumerGroup.objects.get(name=names[0])
    assert row.state == "Stable"
    assert len(row.members) == 1
    assert [(topic, at) for topic, _, at, _ in row.offsets] == [(names[1], 10)]
    assert not row.error


def test_our_own_group_is_not_among_them(
    broker: str, names: tuple[str, str], consumer: GroupConsumer
) -> None:
    step = LookAtCluster([broker], own_group=names[0])

    step.run()
    step.close()

    assert not ConsumerGroup.objects.filter(name=names[0]).exists()


def test_a_later_end_that_we_read_counts(broker: str) -> None:
    row = Catalogue().partition(topic=TOPIC, topic_uuid="u", number=0)
    Partition.objects.filter(id=row.id).update(end_offset=15)

    assert known_ends({(TOPIC, 0): 3, ("other", 1): 4}) == {(TOPIC, 0): 15, ("other", 1): 4}


def test_no_time_left_asks_for_no_group(broker: str, consumer: GroupConsumer) -> None:
    reader = GroupReader([broker])

    assert reader.groups(budget_s=-1) == []
    reader.close()


def test_a_broker_that_is_away_is_said_in_our_words() -> None:
    with pytest.raises(BrokerUnavailableError):
        LookAtCluster(["127.0.0.1:1"]).run()


def test_what_the_broker_keeps_is_written_anew_each_time() -> None:
    row = Catalogue().partition(topic=TOPIC, topic_uuid="u", number=0)
    kept = {TOPIC: TopicSettings(retention_ms=60_000, retention_bytes=-1, cleanup="compact")}
    longer = {TOPIC: TopicSettings(retention_ms=-1, retention_bytes=None, cleanup="delete")}

    store_facts(kept, {TOPIC: "u", "unknown": "v"}, {(TOPIC, 0): 3}, timezone.now())
    store_facts(longer, {TOPIC: "u"}, {(TOPIC, 0): 7}, timezone.now())

    facts = TopicFacts.objects.get()
    assert not facts.dead_letters
    assert (facts.source_id, facts.retention_ms, facts.cleanup) == (row.source_id, -1, "delete")
    assert Partition.objects.get().begin_offset == 7
