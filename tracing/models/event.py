"""The read model of events: what was decoded from the records."""

from __future__ import annotations

from django.db import models

from tracing.models.row_id import RowIdField


class Node(models.Model):
    """An event type as one service produces it. Catalogue rows, made once and never changed."""

    type = models.CharField(max_length=200)
    service = models.CharField(max_length=200)

    class Meta:
        """One row a pair."""

        constraints = [models.UniqueConstraint(fields=["type", "service"], name="node_identity")]


class Event(models.Model):
    """One event. Its position orders all that ever changed, so that a follower finds what is new.

    Those of an `EventBlock` have no row, unless their flow is large: ask `projections.events`.

    `record` is the id of the record (`part` counts within it), `flow` and `node` are ids without
    a database constraint: they are written in the same transaction, and read models are dropped
    and rebuilt as a whole.
    """

    position = RowIdField(primary_key=True)
    record = models.BigIntegerField()
    part = models.IntegerField(default=0)
    flow = models.ForeignKey("Flow", on_delete=models.DO_NOTHING, db_constraint=False)
    node = models.ForeignKey(Node, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    event_id = models.TextField()
    causation_id = models.TextField(null=True)
    timestamp_ms = models.BigIntegerField()
    occurred_us = models.BigIntegerField(null=True)
    key = models.TextField(null=True)
    schema_version = models.TextField(null=True)
    reason = models.TextField(null=True)
    dialect = models.TextField()
    error = models.TextField(null=True)

    class Meta:
        """Few indexes: each costs the writer more than the row itself."""

        indexes = [models.Index(fields=["record", "part"], name="event_record")]


class EventBlock(models.Model):
    """Events that the records of a block say (`projections.events`).

    They have neighbouring positions from `position` on, in the order of their records; `block` is
    the number of the records' block, and `present` has a bit for each of its records, `held` for
    each that was not removed since.
    """

    position = RowIdField(primary_key=True)
    block = models.BigIntegerField()
    present = models.BigIntegerField()
    held = models.BigIntegerField()

    class Meta:
        """Found by position and by record."""

        indexes = [models.Index(fields=["block"], name="event_block")]


class EventIndex(models.Model):
    """Where the events with an id are, packed (`projections.event_index`)."""

    pk = models.CompositePrimaryKey("level", "bucket", "position")
    level = models.SmallIntegerField()
    bucket = models.SmallIntegerField()
    position = models.BigIntegerField()
    packed = models.BinaryField()
