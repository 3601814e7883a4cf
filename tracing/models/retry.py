"""What people had sent again, what became of it, and the audit: never rebuilt, never pruned."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models

from tracing.domain.errors import EventvizError


class AuditIsFinalError(EventvizError):
    """An audit entry is neither changed nor deleted."""


class RetryRun(models.Model):
    """One retry or replay that a person asked for.

    `state` is planned (its items are being listed), running, paused, cancelled, done or failed.
    `selection` says what (`retry.selection`), `until_position` up to which position of the log;
    `cursor` is where the listing stands, None once it is complete. `token` makes asking
    idempotent. The counters count items by what became of them. `error` says what it waits for.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=10)
    state = models.CharField(max_length=10, default="planned")
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    reason = models.TextField()
    rate_per_s = models.FloatField()
    target = models.CharField(max_length=249, default="")
    selection = models.JSONField()
    cursor = models.JSONField(null=True)
    until_position = models.BigIntegerField()
    token = models.CharField(max_length=64, unique=True)
    planned = models.BigIntegerField(default=0)
    sent = models.BigIntegerField(default=0)
    processed = models.BigIntegerField(default=0)
    failed_again = models.BigIntegerField(default=0)
    unconfirmed = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(default="")

    class Meta:
        """Listed by when they were asked for; those at work are few."""

        indexes = [
            models.Index(fields=["asked_at"], name="retry_run_asked"),
            models.Index(
                fields=["state"],
                condition=models.Q(state__in=("planned", "running", "paused")),
                name="retry_run_open",
            ),
        ]


class RetryItem(models.Model):
    """One record of a run.

    `state`: pending, sending (committed before the send), sent (acknowledged at `sent_partition`
    and `sent_offset` of `topic`), then processed, failed_again or unconfirmed; or skipped and
    cancelled, which were never sent. `doubted_at` is set when a send had no answer: it is sent
    again only after our own log shows that it never arrived. `attempt` counts the sends of one
    message by retries. `edited` replaces the value, `difference` is what a person changed.
    `group_id` is the dead letters' group, None for a replay. `sent_position` is the log's head
    when it was sent: effects come behind it. `again` is the record in which it failed again.
    """

    run = models.ForeignKey(RetryRun, on_delete=models.CASCADE, related_name="items")
    n = models.BigIntegerField()
    record = models.BigIntegerField()
    event_id = models.TextField(default="")
    event_hash = models.BigIntegerField(null=True)
    group_id = models.BigIntegerField(null=True)
    retry_id = models.CharField(max_length=64, unique=True)
    attempt = models.SmallIntegerField(default=1)
    topic = models.CharField(max_length=249)
    partition = models.IntegerField(null=True)
    edited = models.BinaryField(null=True)
    difference = models.TextField(default="")
    state = models.CharField(max_length=12, default="pending")
    sending_at = models.DateTimeField(null=True)
    doubted_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    sent_position = models.BigIntegerField(null=True)
    sent_partition = models.IntegerField(null=True)
    sent_offset = models.BigIntegerField(null=True)
    settled_at = models.DateTimeField(null=True)
    again = models.BigIntegerField(null=True)
    error = models.TextField(default="")

    class Meta:
        """A record is in one run at a time; the sender and the follower have an index each."""

        constraints = [
            models.UniqueConstraint(
                fields=["record"],
                condition=models.Q(state__in=("pending", "sending", "sent")),
                name="retry_item_open",
            ),
            models.UniqueConstraint(fields=["run", "n"], name="retry_item_number"),
        ]
        indexes = [
            models.Index(fields=["run", "state", "n"], name="retry_item_state"),
            models.Index(fields=["record"], name="retry_item_record"),
            models.Index(fields=["group_id", "state"], name="retry_item_group"),
            models.Index(
                fields=["sent_at"],
                condition=models.Q(state="sent"),
                name="retry_item_followed",
            ),
        ]


class RetryTally(models.Model):
    """What became of a group's messages, summed over all runs: changed by differences.

    `recovered` counts messages that were processed in the end, `discarded` those that somebody
    put aside and did not restore; `pruned` how many of these have left the group's own count since.
    """

    group_id = models.BigIntegerField(primary_key=True)
    retried = models.BigIntegerField(default=0)
    recovered = models.BigIntegerField(default=0)
    failed_again = models.BigIntegerField(default=0)
    discarded = models.BigIntegerField(default=0)
    pruned = models.BigIntegerField(default=0)

    @property
    def done(self) -> int:
        """Return how many of the group's messages need nobody any more."""
        return self.recovered + self.discarded - self.pruned


class Discard(models.Model):
    """A dead letter that a person put aside. Restored, the row stays with who and when."""

    record = models.BigIntegerField()
    coordinates = models.CharField(max_length=300)
    group_id = models.BigIntegerField(null=True)
    reason = models.TextField()
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField()
    restored_by = models.CharField(max_length=150, default="")
    restored_at = models.DateTimeField(null=True)

    class Meta:
        """A record is put aside once."""

        constraints = [
            models.UniqueConstraint(
                fields=["record"],
                condition=models.Q(restored_at=None),
                name="discard_in_force",
            )
        ]
        indexes = [models.Index(fields=["group_id"], name="discard_group")]


class AuditEntry(models.Model):
    """Who did what to what, when, why, and what came of it (JSON). Only ever added."""

    at = models.DateTimeField()
    who = models.CharField(max_length=150)
    what = models.CharField(max_length=40)
    target = models.TextField()
    url = models.CharField(max_length=500, default="")
    why = models.TextField(default="")
    outcome = models.JSONField(default=dict)

    class Meta:
        """Listed by id, newest first; by person or deed from an index."""

        indexes = [
            models.Index(fields=["who", "id"], name="audit_who"),
            models.Index(fields=["what", "id"], name="audit_what"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the entry. Raises AuditIsFinalError for one that is there."""
        if self.pk is not None:
            raise AuditIsFinalError
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:  # noqa: ARG002
        """Raise AuditIsFinalError."""
        raise AuditIsFinalError
