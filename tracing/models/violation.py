"""What checks of payloads against their schemas found: counted, with examples."""

from __future__ import annotations

from django.db import models


class SchemaCheck(models.Model):
    """How far the log has been checked: one row. `passed` were not looked at, for want of time.

    `version_row` is the last row of a registered version that was looked at: what comes behind was
    registered since, and is counted anew. None before the first look.
    """

    id = models.IntegerField(primary_key=True)
    position = models.BigIntegerField()
    version_row = models.BigIntegerField(null=True)
    checked = models.BigIntegerField(default=0)
    passed = models.BigIntegerField(default=0)


class SchemaViolation(models.Model):
    """What is wrong with payloads of one type, version and service at one field: a counter.

    `id` is a hash of all that tells it from others. `listed` is False for fields that the schema
    does not have; for a version that nobody registered `path` is empty and `unknown` set.
    `first_record` and `last_record` are examples, by the order of checking; either may be pruned.
    Not a read model: a schema is registered at some moment, and what came before was not checked.
    """

    id = models.BigIntegerField(primary_key=True)
    registry = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    version = models.TextField()
    type = models.TextField()
    service = models.TextField()
    path = models.TextField()
    reason = models.TextField()
    listed = models.BooleanField()
    unknown = models.BooleanField()
    records = models.BigIntegerField()
    first_ms = models.BigIntegerField()
    last_ms = models.BigIntegerField()
    first_record = models.BigIntegerField()
    last_record = models.BigIntegerField()

    class Meta:
        """A page asks by type or by subject."""

        indexes = [
            models.Index(fields=["type"], name="violation_type"),
            models.Index(fields=["registry", "subject"], name="violation_subject"),
        ]
