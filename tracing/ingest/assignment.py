"""Which partitions this ingestor reads, and from where: all of them, by hand.

By hand, because a group with a pattern finds a new topic late or never, and because the truth
about positions lies beside the data, not in the group.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import msgspec

from tracing.ingest.selection import Start, wanted
from tracing.kafka.consumer import LogConsumer, Place
from tracing.models import Partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracing.kafka.cluster import Cluster, TopicPartitions
    from tracing.projections.catalogue import Catalogue

log = logging.getLogger(__name__)


class Held(msgspec.Struct):
    """A partition that is read: its row, its topic's UUID and the position of the reader."""

    partition_id: int
    topic_uuid: str
    position: int


class Assignment:
    """The partitions in hand, by name."""

    def __init__(
        self,
        cluster: Cluster,
        consumer: LogConsumer,
        catalogue: Catalogue,
        *,
        patterns: Sequence[str],
        start: Start,
    ) -> None:
        """Begin with nothing in hand."""
        self.held: dict[Place, Held] = {}
        self._cluster = cluster
        self._consumer = consumer
        self._catalogue = catalogue
        self._patterns = patterns
        self._start = start
        self._first_look = True

    @property
    def topics(self) -> int:
        """Return how many topics are read."""
        return len({place.topic for place in self.held})

    def refresh(self) -> bool:
        """Look for topics and partitions that came or went; tell whether anything changed.

        Raises BrokerUnavailableError; database errors pass through.
        """
        found = {
            Place(topic.name, number): topic.uuid
            for topic in self._selected()
            for number in topic.partitions
        }
        known = {place: held.topic_uuid for place, held in self.held.items()}
        first_look, self._first_look = self._first_look, False
        if found == known:
            return False
        new = [place for place, uuid in found.items() if known.get(place) != uuid]
        self.held = {
            place: held for place, held in self.held.items() if found.get(place) == held.topic_uuid
        }
        rows = {place: self._row(place, found[place]) for place in new}
        # The consumer must know a partition before it can be asked where it begins.
        self._begin(
            [place for place, row in rows.items() if row.next_offset is None],
            rows,
            self._start if first_look else Start("earliest"),
        )
        for place, row in rows.items():
            self.held[place] = Held(row.id, found[place], row.next_offset or 0)
        self._hand_over()
        return True

    def restore(self) -> None:
        """Read every checkpoint again and go there: another writer was here."""
        rows = Partition.objects.in_bulk([held.partition_id for held in self.held.values()])
        for held in self.held.values():
            held.position = rows[held.partition_id].next_offset or 0
        self._hand_over()

    def _selected(self) -> Iterable[TopicPartitions]:
        return (topic for topic in self._cluster.topics() if wanted(topic.name, self._patterns))

    def _row(self, place: Place, topic_uuid: str) -> Partition:
        return self._catalogue.partition(
            topic=place.topic, topic_uuid=topic_uuid, number=place.number
        )

    def _begin(self, places: Sequence[Place], rows: dict[Place, Partition], start: Start) -> None:
        """Decide where unknown partitions begin, and write it down as their checkpoint."""
        if not places:
            return
        for place, offset in self._offsets(places, start).items():
            log.info("Reading %s[%s] from offset %s.", *place, offset)
            Partition.objects.filter(id=rows[place].id, next_offset=None).update(next_offset=offset)
            rows[place].refresh_from_db(fields=["next_offset"])

    def _offsets(self, places: Sequence[Place], start: Start) -> dict[Place, int]:
        if start.kind == "latest":
            return self._consumer.end(places)
        if start.kind == "age":
            return self._consumer.at_time(places, int(time.time() * 1000) - start.age_ms)
        return self._consumer.begin(places)

    def _hand_over(self) -> None:
        self._consumer.assign({place: held.position for place, held in self.held.items()})
