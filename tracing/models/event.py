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
    event_hash = models.BigIntegerField()
    causation_id = models.TextField(null=True)
    timestamp_ms = models.BigIntegerField()
    occurred_us = models.BigIntegerField(null=True)
    key = models.TextField(null=True)
    schema_version = models.TextField(null=True)
    reason = models.TextField(null=True)
    dialect = models.TextField()
    error = models.TextField(null=True)

    class Meta:
        """Few indexes: each costs the writer more than the row itself.

        By `event_hash` Postgres has one, made by hand; SQLite has the two tables below.
        """

        indexes = [models.Index(fields=["record", "part"], name="event_record")]


class EventHash(models.Model):
    """SQLite's index of events by the hash of their id (`projections.event_index`)."""

    pk = models.CompositePrimaryKey("event_hash", "position")
    event_hash = models.BigIntegerField()
    position = models.BigIntegerField()


class EventRun(models.Model):
    """What a large batch brings to that index, until it is moved there. `run` names the batch."""

    pk = models.CompositePrimaryKey("run", "event_hash", "position")
    run = models.BigIntegerField()
    event_hash = models.BigIntegerField()
    position = models.BigIntegerField()
