"""People's decisions on groups of dead letters."""

from __future__ import annotations

from django.db import models


class GroupDecision(models.Model):
    """What somebody decided on a group; a group without a row is new.

    Its key is the fingerprint, so it outlives rebuilding and pruning. `last_ms_then` is when the
    group's last dead letter had come: a resolved group with a later one has regressed.
    """

    class State(models.TextChoices):
        """What people say of a group; that it has regressed, or is new, is seen by its rows."""

        ACKNOWLEDGED = "acknowledged"
        RESOLVED = "resolved"
        IGNORED = "ignored"

    group_id = models.BigIntegerField(primary_key=True)
    fingerprint = models.TextField()
    state = models.CharField(max_length=20, choices=State.choices, blank=True, default="")
    owner = models.CharField(max_length=150, blank=True, default="")
    note = models.TextField(blank=True, default="")
    decided_by = models.CharField(max_length=150)
    decided_at = models.DateTimeField()
    last_ms_then = models.BigIntegerField(default=0)
