"""Look at the cluster every few seconds: its consumer groups, and how long topics keep records."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from tracing.domain.errors import BrokerUnavailableError
from tracing.domain.text import clean
from tracing.jobs.step import Step
from tracing.kafka.cluster import Cluster
from tracing.kafka.connection import PLAINTEXT, Security
from tracing.kafka.groups import GroupReader
from tracing.models import ConsumerGroup, Partition, Source, TopicFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tracing.kafka.groups import Group, Number, TopicSettings

BUDGET_S = 5.0
# A minute and a half of lags: enough to tell a trend from a burst.
KEPT_LAGS = 18
FORGET_AFTER = dt.timedelta(minutes=10)
FACTS_EVERY_S = 30.0
MAX_PARTITIONS = 5_000


class LookAtCluster(Step):
    """Writes what the cluster says into tables; pages never ask it themselves."""

    name = "cluster"
    every_s = 5.0
    lease_s = 60.0

    def __init__(
        self, servers: Sequence[str], security: Security = PLAINTEXT, *, own_group: str = ""
    ) -> None:
        """Connect to nothing yet. `own_group` is ours: it is not among the users'."""
        self._servers = servers
        self._security = security
        self._own_group = own_group
        self._cluster: Cluster | None = None
        self._reader: GroupReader | None = None
        self._facts_at = 0.0

    def run(self) -> bool:
        """Take a snapshot. Raises BrokerUnavailableError; the next run connects anew."""
        try:
            self._run()
        except BrokerUnavailableError:
            self.close()
            raise
        return False

    def close(self) -> None:
        """Disconnect."""
        for client in (self._cluster, self._reader):
            if client is not None:
                client.close()
        self._cluster = self._reader = None

    def _run(self) -> None:
        cluster = self._cluster = self._cluster or Cluster(self._servers, self._security)
        reader = self._reader = self._reader or GroupReader(self._servers, self._security)
        topics = {topic.name: topic for topic in cluster.topics()}
        there = {(topic.name, number) for topic in topics.values() for number in topic.partitions}
        groups = [one for one in reader.groups(budget_s=BUDGET_S) if one.name != self._own_group]
        wanted = sorted({place for group in groups for place in group.committed} & there)
        ends = reader.ends(wanted[:MAX_PARTITIONS])
        store_groups(groups, known_ends(ends), timezone.now())
        if time.monotonic() - self._facts_at >= FACTS_EVERY_S:
            self._facts_at = time.monotonic()
            uuids = {topic.name: topic.uuid for topic in topics.values()}
            begins = reader.begins(sorted(there)[:MAX_PARTITIONS])
            store_facts(reader.settings(sorted(uuids)[:1_000]), uuids, begins, timezone.now())


def known_ends(ends: Mapping[Number, int]) -> dict[Number, int]:
    """Return the ends of partitions, or ours where a fetch has seen a later one.

    The embedded broker counts batches instead of records when it is asked for its ends.
    """
    newest = Source.objects.filter(topic__in={topic for topic, _ in ends}).values("topic")
    ids = [row["newest"] for row in newest.annotate(newest=Max("id"))]
    seen = {
        (topic, number): end or 0
        for topic, number, end in Partition.objects.filter(
            source_id__in=ids, end_offset__isnull=False
        ).values_list("source__topic", "number", "end_offset")
    }
    return {place: max(end, seen.get(place, 0)) for place, end in ends.items()}


def store_groups(groups: Sequence[Group], ends: Mapping[Number, int], now: dt.datetime) -> None:
    """Write a snapshot of the groups; those that were not seen for a while are forgotten."""
    named = {clean(group.name): group for group in groups}
    lags = dict(ConsumerGroup.objects.filter(name__in=named).values_list("name", "lags"))
    rows = [_row(name, group, ends, lags.get(name, []), now) for name, group in named.items()]
    columns = [field.name for field in ConsumerGroup._meta.fields if field.name != "name"]
    with transaction.atomic():
        ConsumerGroup.objects.bulk_create(
            rows,
            batch_size=100,
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=columns,
        )
        ConsumerGroup.objects.filter(looked_at__lt=now - FORGET_AFTER).delete()


def _row(
    name: str,
    group: Group,
    ends: Mapping[Number, int],
    lags: list[list[int]],
    now: dt.datetime,
) -> ConsumerGroup:
    offsets = [
        [clean(topic), number, committed, ends.get((topic, number))]
        for (topic, number), committed in group.committed.items()
    ]
    lag = sum(
        max(ends[place] - committed, 0)
        for place, committed in group.committed.items()
        if place in ends
    )
    return ConsumerGroup(
        name=name,
        state=clean(group.state, 40),
        assignor=clean(group.assignor, 100),
        members=[
            [
                clean(one.id),
                clean(one.client, 200),
                clean(one.host, 200),
                None if one.partitions is None else [[clean(t), n] for t, n in one.partitions],
            ]
            for one in group.members
        ],
        offsets=offsets,
        lag=lag,
        lags=[*lags, [int(now.timestamp() * 1_000), lag]][-KEPT_LAGS:],
        error=clean(group.error),
        looked_at=now,
    )


def store_facts(
    settings: Mapping[str, TopicSettings],
    uuids: Mapping[str, str],
    begins: Mapping[Number, int],
    now: dt.datetime,
) -> None:
    """Write what the broker says of the topics that we know, and their partitions' beginnings."""
    sources = _sources(uuids)
    rows = [
        TopicFacts(
            source_id=source_id,
            retention_ms=settings[topic].retention_ms,
            retention_bytes=settings[topic].retention_bytes,
            cleanup=settings[topic].cleanup,
            dead_letters=settings[topic].dead_letters,
            looked_at=now,
        )
        for topic, source_id in sources.items()
        if topic in settings
    ]
    TopicFacts.objects.bulk_create(
        rows,
        batch_size=200,
        update_conflicts=True,
        unique_fields=["source"],
        update_fields=["retention_ms", "retention_bytes", "cleanup", "dead_letters", "looked_at"],
    )
    for row in Partition.objects.filter(source_id__in=sources.values()).select_related("source"):
        begin = begins.get((row.source.topic, row.number))
        if begin is not None and begin != row.begin_offset:
            Partition.objects.filter(id=row.id).update(begin_offset=begin)


def _sources(uuids: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for names in _slices(list(uuids), 200):
        pairs = Q()
        for name in names:
            pairs |= Q(topic=name, topic_uuid=uuids[name])
        found.update(Source.objects.filter(pairs).values_list("topic", "id"))
    return found


def _slices(names: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]
