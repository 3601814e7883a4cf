"""Where records come from: topics by name and UUID, their partitions, and our checkpoint."""

from __future__ import annotations

from django.db import models

# A record's id is its partition's number and its offset in one integer: records of one partition
# are stored side by side, and no second index is needed to find one by its coordinates.
OFFSET_BITS = 44


class Source(models.Model):
    """A topic as it exists now: deleted and made anew, it is a new source that begins at 0."""

    topic = models.CharField(max_length=249)
    topic_uuid = models.CharField(max_length=36)
    first_seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One row a topic and UUID."""

        constraints = [
            models.UniqueConstraint(fields=["topic", "topic_uuid"], name="source_identity")
        ]


class Partition(models.Model):
    """A partition of a source, and how far we have read it.

    `next_offset` is the checkpoint: it moves in the same transaction as the records. None until
    the first assignment decided where to begin. `end_offset` is the broker's high watermark when
    we last looked, `begin_offset` the first one that it still has.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE)
    number = models.IntegerField()
    next_offset = models.BigIntegerField(null=True)
    end_offset = models.BigIntegerField(null=True)
    begin_offset = models.BigIntegerField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        """One row a partition."""

        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="partition_identity")
        ]


def record_id(partition_id: int, offset: int) -> int:
    """Return the id of a record."""
    return partition_id << OFFSET_BITS | offset


def coordinates_of(record: int) -> tuple[int, int]:
    """Return (partition id, offset) of a record's id."""
    return record >> OFFSET_BITS, record & ((1 << OFFSET_BITS) - 1)
