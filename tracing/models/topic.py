"""What the cluster says of a topic beside its records; written by a job, read by the pages."""

from __future__ import annotations

from django.db import models

from tracing.models.source import Source


class TopicFacts(models.Model):
    """A topic's settings at the broker, as of `looked_at`.

    `retention_ms` and `retention_bytes` are None where the broker did not say and -1 for no limit;
    `cleanup` is its cleanup policy, '' where it did not say. `dead_letters`: its configuration says
    that consumers give up records there.
    """

    source = models.OneToOneField(Source, on_delete=models.CASCADE, primary_key=True)
    retention_ms = models.BigIntegerField(null=True)
    retention_bytes = models.BigIntegerField(null=True)
    cleanup = models.CharField(max_length=50, default="")
    dead_letters = models.BooleanField(default=False)
    looked_at = models.DateTimeField()

    class Meta:
        """Who decodes asks for the few that hold dead letters."""

        indexes = [
            models.Index(
                fields=["source"], condition=models.Q(dead_letters=True), name="topicfacts_dead"
            )
        ]
