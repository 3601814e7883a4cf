"""Numbers for names: partitions and (type, service) pairs, made once and kept in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.models import Node, Partition, Source
from tracing.projections.plain_sql import chunks

if TYPE_CHECKING:
    from collections.abc import Iterable

# A producer that puts ids into its type names must not fill the memory.
MAX_NODES = 50_000

Pair = tuple[str, str]


class Catalogue:
    """The catalogue rows that this process has met. They never change, so nothing goes stale.

    New rows commit before the batch that needs them: their numbers must be agreed between
    processes, and an unused one does no harm.
    """

    def __init__(self) -> None:
        """Begin empty; rows are read when they are asked for."""
        self._places: dict[int, tuple[str, int]] = {}
        self._nodes: dict[Pair, int] = {}
        self._pairs: dict[int, Pair] = {}

    def partition(self, *, topic: str, topic_uuid: str, number: int) -> Partition:
        """Return the row of a partition, made if it is new. Costs two to four statements."""
        source, _ = Source.objects.get_or_create(topic=topic, topic_uuid=topic_uuid)
        row, _ = Partition.objects.select_related("source").get_or_create(
            source=source, number=number
        )
        self._places[row.id] = (topic, number)
        return row

    def place(self, partition_id: int) -> tuple[str, int]:
        """Return (topic, partition number). A look-up at first, then from memory."""
        known = self._places.get(partition_id)
        if known is None:
            row = Partition.objects.select_related("source").get(id=partition_id)
            known = self._places[partition_id] = (row.source.topic, row.number)
        return known

    def node_ids(self, pairs: Iterable[Pair]) -> dict[Pair, int]:
        """Return the numbers of (type, service) pairs, making those that are new."""
        wanted = set(pairs)
        found = {pair: node for pair in wanted if (node := self._nodes.get(pair)) is not None}
        for new in (False, True):
            missing = wanted - found.keys()
            if not missing:
                break
            if new:
                rows = [Node(type=event_type, service=service) for event_type, service in missing]
                Node.objects.bulk_create(rows, ignore_conflicts=True, batch_size=400)
            self._forget_if_many()
            found |= self._read_types({event_type for event_type, _ in missing})
        return {pair: found[pair] for pair in wanted}

    def node_in_memory(self, pair: Pair) -> int | None:
        """Return the number of a (type, service) pair, None of one that was not met yet."""
        return self._nodes.get(pair)

    def pair(self, node_id: int) -> Pair:
        """Return the (type, service) of a number. A look-up at first, then from memory."""
        known = self._pairs.get(node_id)
        if known is None:
            self._forget_if_many()
            row = Node.objects.get(id=node_id)
            self._remember([row])
            known = (row.type, row.service)
        return known

    def pairs(self, node_ids: Iterable[int]) -> None:
        """Read the pairs of many numbers at once, so that `pair` finds them in memory."""
        missing = set(node_ids) - self._pairs.keys()
        if missing:
            self._forget_if_many()
        for chunk in chunks(missing):
            self._remember(Node.objects.filter(id__in=chunk))

    def _read_types(self, types: set[str]) -> dict[Pair, int]:
        rows: list[Node] = []
        for chunk in chunks(types):
            rows += Node.objects.filter(type__in=chunk)
        self._remember(rows)
        return {(row.type, row.service): row.id for row in rows}

    def _remember(self, rows: Iterable[Node]) -> None:
        for row in rows:
            self._nodes[row.type, row.service] = row.id
            self._pairs[row.id] = (row.type, row.service)

    def _forget_if_many(self) -> None:
        if len(self._nodes) > MAX_NODES:
            # Other threads may be reading what was there.
            self._nodes, self._pairs = {}, {}
