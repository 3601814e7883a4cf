"""The read model of flows: one row a flow, derived from the set of its facts."""

from __future__ import annotations

from django.db import models

from tracing.models.row_id import RowIdField


class Flow(models.Model):
    """All events that share a correlation id.

    `facts` is a packed set of what the flow remembers of each record (`projections.packing`);
    every other column is derived from it. `root` and `failure` are record ids; the page reads
    key and reason from their events. `strip` is a JSON list of [type, service, count].
    `position` is the last change that touched the flow.
    """

    id = RowIdField(primary_key=True)
    correlation_hash = models.BigIntegerField()
    correlation_id = models.TextField()
    joined_by = models.CharField(max_length=11)
    state = models.SmallIntegerField()
    marks = models.IntegerField()
    events = models.IntegerField()
    records = models.IntegerField()
    started_ms = models.BigIntegerField()
    last_ms = models.BigIntegerField()
    duration_us = models.BigIntegerField()
    root = models.BigIntegerField()
    failure = models.BigIntegerField(null=True)
    strip = models.TextField()
    position = models.BigIntegerField()
    facts = models.BinaryField()

    class Meta:
        """A flow is found by its id's hash, listed by its start, alone or within a state."""

        indexes = [
            models.Index(fields=["correlation_hash"], name="flow_correlation"),
            models.Index(fields=["started_ms", "correlation_hash"], name="flow_started"),
            models.Index(fields=["state", "started_ms", "correlation_hash"], name="flow_state"),
            models.Index(fields=["state", "last_ms"], name="flow_state_last"),
        ]


class FlowCount(models.Model):
    """How many flows stand in each state: a counter, changed by differences."""

    state = models.SmallIntegerField(primary_key=True)
    flows = models.BigIntegerField(default=0)


class SearchKey(models.Model):
    """Where a record key occurs: hash of the key, and a flow. The event's full key decides."""

    pk = models.CompositePrimaryKey("key_hash", "flow_id")
    key_hash = models.BigIntegerField()
    flow_id = models.BigIntegerField()
