"""The users' own consumer groups, as the cluster described them last."""

from __future__ import annotations

from django.db import models


class ConsumerGroup(models.Model):
    """A snapshot of one group, written every few seconds by a job.

    `members` is a JSON list of [member, client, host, [[topic, partition], ...]], `offsets` one of
    [topic, partition, committed or null, end], `lags` the last sums of lag, newest last, as
    [milliseconds, lag]. A group that is gone from the cluster keeps its row for a while.
    """

    name = models.CharField(max_length=400, primary_key=True)
    state = models.CharField(max_length=40)
    assignor = models.CharField(max_length=100, default="")
    members = models.JSONField(default=list)
    offsets = models.JSONField(default=list)
    lag = models.BigIntegerField(default=0)
    lags = models.JSONField(default=list)
    error = models.TextField(default="")
    looked_at = models.DateTimeField()
