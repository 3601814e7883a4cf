"""What an ingestor says of itself, for the line at the foot of every page."""

from __future__ import annotations

from django.db import models

# Of a larger cluster the rest is not named: the row is written once a second.
MAX_HELD = 2_000


class Ingestor(models.Model):
    """One ingest process: alive, and how far behind.

    `state` is `starting`, `running`, `waiting` (the broker is away), `refused` (it does not let us
    in), `full` (the database has no room) or `stopped`; `detail` says why. `lag` counts records
    behind the end of all partitions, `behind_ms` is the age of the last record read while there is
    lag. `held` is a JSON list of [partition id, records a second over the last minute], at most
    `MAX_HELD`. Written about once a second.
    """

    name = models.CharField(max_length=100, primary_key=True)
    state = models.CharField(max_length=10)
    detail = models.TextField(default="")
    cluster = models.TextField(default="")
    topics = models.IntegerField(default=0)
    lag = models.BigIntegerField(default=0)
    behind_ms = models.BigIntegerField(default=0)
    events_per_s = models.FloatField(default=0)
    held = models.JSONField(default=list)
    seen_at = models.DateTimeField()
