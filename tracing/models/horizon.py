"""How far back the log reaches: what is older was pruned."""

from __future__ import annotations

from django.db import models


class Horizon(models.Model):
    """The one row that says what pruning has removed, ever.

    Flows whose last record is older than `before_ms` (Kafka's time) are gone, with their records;
    0 while nothing was pruned. `flows` and `records` count them.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    before_ms = models.BigIntegerField(default=0)
    flows = models.BigIntegerField(default=0)
    records = models.BigIntegerField(default=0)
    pruned_at = models.DateTimeField(null=True)
