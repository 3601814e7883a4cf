"""Offsets that were gone from the broker before we could read them."""

from __future__ import annotations

from django.db import models

from tracing.models.source import Partition


class Gap(models.Model):
    """Records that retention removed: from `start` up to, not including, `end`.

    `noticed_at` is when the ingestor stepped over them. Part of the log: a rebuild keeps it.
    """

    partition = models.ForeignKey(Partition, on_delete=models.CASCADE)
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    noticed_at = models.DateTimeField()

    class Meta:
        """A gap has one beginning."""

        constraints = [models.UniqueConstraint(fields=["partition", "start"], name="gap_identity")]
