"""The read models of what failed: dead letters in groups, copies that wait, records sent again."""

from __future__ import annotations

from django.db import models


class DeadLetter(models.Model):
    """One record of a dead letter topic. Its failure is in the record's headers, read when shown.

    `flow_id`, `event_id` and `node_id` are those of the event that died. The source is where the
    record failed first, as its headers say it: strangers' text that may name anything. `retry_id`
    is that of the retry that ended here.
    """

    record = models.BigIntegerField(primary_key=True)
    group_id = models.BigIntegerField()
    flow_id = models.BigIntegerField()
    event_id = models.TextField()
    event_hash = models.BigIntegerField()
    node_id = models.BigIntegerField()
    timestamp_ms = models.BigIntegerField()
    position = models.BigIntegerField()
    message = models.TextField(default="")
    attempts = models.IntegerField(null=True)
    source_topic = models.TextField(default="")
    source_partition = models.IntegerField(null=True)
    source_offset = models.BigIntegerField(null=True)
    retry_id = models.TextField(null=True)

    class Meta:
        """A group's newest, an event's attempts, a flow's dead letters, what became of a retry."""

        indexes = [
            models.Index(fields=["group_id", "timestamp_ms", "record"], name="deadletter_group"),
            models.Index(fields=["event_hash"], name="deadletter_event"),
            models.Index(fields=["flow_id"], name="deadletter_flow"),
        ]


class DeadLetterGroup(models.Model):
    """Dead letters that share a fingerprint: counters, minima and maxima.

    `id` is the fingerprint's hash, `fingerprint` its text, which decides. `count` counts those
    that died for the first time, `failed_again` those that a retry of ours brought back.
    """

    id = models.BigIntegerField(primary_key=True)
    fingerprint = models.TextField()
    source_topic = models.TextField()
    consumer = models.TextField()
    exception = models.TextField()
    message = models.TextField()
    event_type = models.TextField()
    count = models.BigIntegerField(default=0)
    failed_again = models.BigIntegerField(default=0)
    first_ms = models.BigIntegerField()
    last_ms = models.BigIntegerField()

    class Meta:
        """The inbox shows the newest first."""

        indexes = [models.Index(fields=["last_ms", "id"], name="deadlettergroup_last")]


class DeadLetterHour(models.Model):
    """How many of a group died in an hour (counted since 1970), for its small history."""

    pk = models.CompositePrimaryKey("group_id", "hour")
    group_id = models.BigIntegerField()
    hour = models.IntegerField()
    n = models.BigIntegerField()


class RetryCopy(models.Model):
    """One record of a retry topic: attempt `attempt` of `max_attempts`, due at `due_ms`, if said.

    Whether it still waits is decided when it is read: a later attempt, a dead letter or an effect
    of the event ends it.
    """

    record = models.BigIntegerField(primary_key=True)
    flow_id = models.BigIntegerField()
    event_id = models.TextField()
    event_hash = models.BigIntegerField()
    node_id = models.BigIntegerField()
    timestamp_ms = models.BigIntegerField()
    position = models.BigIntegerField()
    source_topic = models.TextField(default="")
    consumer = models.TextField(default="")
    exception = models.TextField(default="")
    message = models.TextField(default="")
    attempt = models.IntegerField(null=True)
    max_attempts = models.IntegerField(null=True)
    due_ms = models.BigIntegerField(null=True)

    class Meta:
        """The newest, and an event's attempts."""

        indexes = [
            models.Index(fields=["timestamp_ms", "record"], name="retrycopy_newest"),
            models.Index(fields=["event_hash"], name="retrycopy_event"),
        ]


class RetriedRecord(models.Model):
    """A record that carries a retry's id, on whatever topic: the log's proof that it was sent."""

    pk = models.CompositePrimaryKey("retry_hash", "record")
    retry_hash = models.BigIntegerField()
    record = models.BigIntegerField()

    class Meta:
        """Pruning asks by record."""

        indexes = [models.Index(fields=["record"], name="retriedrecord_record")]
