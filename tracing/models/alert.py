"""Alerts on dead letters and sagas: what was said once, whether it was delivered, what is muted."""

from __future__ import annotations

from django.db import models


class Alert(models.Model):
    """Something that somebody should know. `cause` makes it happen once.

    `kind` is new, regressed, rate or old of a group of dead letters, stuck or not-undone of a saga;
    `subject`, by which it is muted, is the group's id as text or a digest of the saga's definition:
    both outlive rebuilding. `deliver_at` is when it is sent next, None when it was delivered
    (`delivered_at`), was muted, has nowhere to go or was given up; `error` says what the last try
    failed with. `told` has a digest of each target's address that took it.
    """

    kind = models.CharField(max_length=12)
    subject = models.CharField(max_length=40)
    cause = models.CharField(max_length=120, unique=True)
    title = models.CharField(max_length=200)
    text = models.TextField()
    url = models.CharField(max_length=500)
    at = models.DateTimeField()
    muted = models.BooleanField(default=False)
    deliver_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    tries = models.SmallIntegerField(default=0)
    told = models.JSONField(default=list)
    error = models.TextField(default="")

    class Meta:
        """Listed by id; what waits to be delivered is few."""

        indexes = [
            models.Index(
                fields=["deliver_at"],
                condition=models.Q(deliver_at__isnull=False),
                name="alert_waiting",
            ),
            models.Index(fields=["subject"], name="alert_subject"),
        ]


class AlertMute(models.Model):
    """A group that alerts nobody until somebody takes that back."""

    subject = models.CharField(max_length=40, primary_key=True)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField()
