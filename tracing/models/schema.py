"""Schemas that records name: fetched once from the registry, kept for ever."""

from __future__ import annotations

from django.db import models


class Schema(models.Model):
    """A schema by its registry's address and the reference that records carry (`id:42`).

    The built-in registry's address is empty; what is registered there stands here at once.

    `type` is AVRO, JSON or PROTOBUF, empty while the registry has not answered; then `tries`,
    `next_at` and `error` say how that stands. `references` is a list of [name, text], each behind
    those that it builds on. Not a read model: with it a rebuild needs no network.
    """

    registry = models.CharField(max_length=500)
    reference = models.CharField(max_length=60)
    type = models.CharField(max_length=20, default="")
    text = models.TextField(default="")
    references = models.JSONField(default=list)
    tries = models.IntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    error = models.TextField(default="")
    fetched_at = models.DateTimeField(null=True)

    class Meta:
        """One row a reference of a registry; the newest are found at once."""

        constraints = [
            models.UniqueConstraint(fields=["registry", "reference"], name="schema_identity")
        ]
        indexes = [models.Index(fields=["registry", "fetched_at"], name="schema_news")]


class AwaitingRecord(models.Model):
    """A record that cannot be decoded before its schema is known: a read model like its event."""

    record = models.BigIntegerField(primary_key=True)
    reference = models.CharField(max_length=60)

    class Meta:
        """Found by what they wait for."""

        indexes = [models.Index(fields=["reference", "record"], name="awaiting_reference")]
