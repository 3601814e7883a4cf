"""A member of the ingestors' group on Apache Kafka stays one while topics come."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.servers.processes import wait_for
from tests.strangers.producing import create_topics
from tracing.kafka.consumer import LogConsumer, Place

pytestmark = pytest.mark.slow


@pytest.fixture
def member(apache: str) -> Iterator[LogConsumer]:
    made = LogConsumer([apache], group=f"group-{uuid.uuid4().hex[:8]}", max_record_bytes=1_000)
    yield made
    made.close()


def given(member: LogConsumer, count: int) -> set[Place]:
    """Poll, each time shorter than a join takes, until the group gave that many partitions."""

    def look() -> list[Place] | None:
        member.poll(1)
        found = member.taken()
        return found if found and len(found) == count else None

    return set(wait_for(look, f"{count} partitions"))


def test_a_member_has_also_the_partitions_of_a_topic_that_came_later(
    apache: str, member: LogConsumer
) -> None:
    names = [f"came-{uuid.uuid4().hex[:8]}-{number}" for number in (1, 2)]
    create_topics(apache, names, partitions=1)
    member.share(names[:1])
    given(member, 1)

    member.share(names)

    assert given(member, 2) == {Place(name, 0) for name in names}
