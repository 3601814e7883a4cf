"""Which partitions this ingestor reads, and from where.

One ingestor takes all by hand: a group with a pattern finds a new topic late or never, and the
truth about positions lies beside the data, not in the group. Several share them through the
group, which then decides who reads what, but never from where.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import msgspec

from tracing.ingest.selection import wanted
from tracing.kafka.consumer import LogConsumer, Place
from tracing.models import Partition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracing.ingest.beginning import Beginning
    from tracing.kafka.cluster import Cluster
    from tracing.projections.catalogue import Catalogue

log = logging.getLogger(__name__)


class Held(msgspec.Struct):
    """A partition that is read: its row, its topic's UUID and the position of the reader."""

    partition_id: int
    topic_uuid: str
    position: int


class Assignment:
    """The partitions in hand, by name: all that match."""

    def __init__(
        self,
        cluster: Cluster,
        consumer: LogConsumer,
        catalogue: Catalogue,
        *,
        patterns: Sequence[str],
        beginning: Beginning,
    ) -> None:
        """Begin with nothing in hand."""
        self.held: dict[Place, Held] = {}
        self._cluster = cluster
        self._consumer = consumer
        self._catalogue = catalogue
        self._patterns = patterns
        self._beginning = beginning
        self._found: dict[Place, str] | None = None

    @property
    def topics(self) -> int:
        """Return how many topics are read."""
        return len({place.topic for place in self.held})

    @property
    def sharers(self) -> int:
        """Return how many ingestors read what matches, as far as our part of it tells."""
        return math.ceil(len(self._found or ()) / len(self.held)) if self.held else 1

    def refresh(self) -> bool:
        """Look for topics and partitions that came or went; tell whether anything changed.

        Raises BrokerUnavailableError; database errors pass through.
        """
        found = {
            Place(topic.name, number): topic.uuid
            for topic in self._cluster.topics()
            if wanted(topic.name, self._patterns)
            for number in topic.partitions
        }
        if found == self._found:
            return False
        self._beginning.see(found)
        self._found = found
        self._take(found)
        return True

    def settle(self) -> bool:
        """Deal with what the group decided meanwhile; tell whether anything changed."""
        return False

    def restore(self) -> None:
        """Read every checkpoint again and go there: another writer was here."""
        rows = Partition.objects.in_bulk([held.partition_id for held in self.held.values()])
        for held in self.held.values():
            held.position = rows[held.partition_id].next_offset or 0
        self._hand_over()

    def _take(self, found: Mapping[Place, str]) -> None:
        """Hold exactly these partitions, the new ones from their checkpoints."""
        kept = {
            place: held for place, held in self.held.items() if found.get(place) == held.topic_uuid
        }
        rows = {
            place: self._catalogue.partition(
                topic=place.topic, topic_uuid=topic_uuid, number=place.number
            )
            for place, topic_uuid in found.items()
            if place not in kept
        }
        self._begin({place: row for place, row in rows.items() if row.next_offset is None})
        self.held = kept | {
            place: Held(row.id, found[place], row.next_offset or 0) for place, row in rows.items()
        }
        self._hand_over()

    def _begin(self, rows: Mapping[Place, Partition]) -> None:
        """Decide where unknown partitions begin, and write it down as their checkpoint."""
        offsets = self._beginning.offsets(rows, self._consumer)
        for place, offset in offsets.items():
            log.info("Reading %s[%s] from offset %s.", *place, offset)
            Partition.objects.filter(id=rows[place].id, next_offset=None).update(next_offset=offset)
            rows[place].refresh_from_db(fields=["next_offset"])

    def _hand_over(self) -> None:
        self._consumer.assign({place: held.position for place, held in self.held.items()})


class SharedAssignment(Assignment):
    """A part of the partitions: several ingestors of one consumer group share them."""

    _given: Sequence[Place] = ()

    def refresh(self) -> bool:
        """Look for topics that came or went, and tell the group which we want."""
        known = {place.topic for place in self._found or ()}
        changed = super().refresh()
        topics = {place.topic for place in self._found or ()}
        if topics and topics != known:
            self._consumer.share(sorted(topics))
        return changed

    def settle(self) -> bool:
        """Take what the group gave us, each from its checkpoint."""
        given = self._consumer.taken()
        if given is None:
            return False
        self._given = given
        # Everything is read anew from the checkpoints: others may have moved them.
        self.held = {}
        self._take(self._found or {})
        return True

    def _take(self, found: Mapping[Place, str]) -> None:
        """Hold what the group gave us, as far as it exists."""
        super()._take({place: found[place] for place in self._given if place in found})

    def _hand_over(self) -> None:
        self._consumer.go_on({place: held.position for place, held in self.held.items()})
