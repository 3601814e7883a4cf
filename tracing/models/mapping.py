"""People's decisions on how records are read, and the rebuilds that make them act."""

from __future__ import annotations

from django.db import models


class MappingDecision(models.Model):
    """A mapping that a person applied. Never changed but by its end.

    At most one row a topic pattern has no `ended_at`: that one is in force, before the mappings
    of the settings. `fields` holds a path or `header:name` by field of the envelope.
    """

    topic = models.CharField(max_length=249)
    fields = models.JSONField()
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField()
    ended_by = models.CharField(max_length=150, default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """One mapping a pattern is in force."""

        constraints = [
            models.UniqueConstraint(
                fields=["topic"],
                condition=models.Q(ended_at=None),
                name="mapping_in_force",
            )
        ]


class RebuildRun(models.Model):
    """A rebuild that a person asked for: waiting, running (`started_at`), done or failed.

    `done` and `total` count records; `beat_at` is when it last told so. With an `error` it ended
    without having changed anything.
    """

    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    error = models.TextField(default="")
