"""The read model of records that nobody could decode: counted by reason, each reachable."""

from __future__ import annotations

from django.db import models


class UndecodableReason(models.Model):
    """Why records of a partition could not be decoded, and how many: a counter.

    `id` is a hash of partition and reason. `reason` is the error with its numbers left out, so
    that a million broken records do not make a million reasons.
    """

    id = models.BigIntegerField(primary_key=True)
    partition_id = models.BigIntegerField()
    reason = models.TextField()
    records = models.BigIntegerField(default=0)

    class Meta:
        """A page asks by partition."""

        indexes = [models.Index(fields=["partition_id"], name="undecodable_partition")]


class Undecodable(models.Model):
    """One record that could not be decoded, under its reason; its id orders by offset."""

    pk = models.CompositePrimaryKey("reason_id", "record")
    reason_id = models.BigIntegerField()
    record = models.BigIntegerField()
