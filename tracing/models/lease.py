"""Who does a time-driven step, and when it is due again."""

from __future__ import annotations

from django.db import models


class Lease(models.Model):
    """One row a step. `until` is in the future while `holder` is at it; `due_at` is its next time.

    `error` is what its last run failed with, empty after one that did not.
    """

    step = models.CharField(max_length=100, primary_key=True)
    holder = models.CharField(max_length=100, default="")
    until = models.DateTimeField()
    due_at = models.DateTimeField()
    failures = models.IntegerField(default=0)
    error = models.TextField(default="")
