"""The read model of what is on the wire: which versions of an event type, by whom, since when."""

from __future__ import annotations

from django.db import models


class SeenVersion(models.Model):
    """A version of an event type as one service writes it: a counter of records.

    `id` is a hash of the other three: `version` as envelopes write it, empty for none; `schema` the
    id that the record's frame names, empty without a frame. `first_ms` and `last_ms` are the
    beginnings of the first and the last of its intervals in `SeenInterval`.
    """

    id = models.BigIntegerField(primary_key=True)
    node_id = models.BigIntegerField()
    version = models.TextField()
    schema = models.TextField()
    records = models.BigIntegerField()
    first_ms = models.BigIntegerField()
    last_ms = models.BigIntegerField()

    class Meta:
        """A page asks by type, which is some nodes, or by the ids of a subject's schemas."""

        indexes = [
            models.Index(fields=["node_id"], name="seen_node"),
            models.Index(fields=["schema"], name="seen_schema", condition=~models.Q(schema="")),
        ]


class SeenInterval(models.Model):
    """How many records of a version Kafka took in one interval, which begins at `start_ms`.

    With them the first and the last are still known when whatever is oldest has been removed.
    """

    pk = models.CompositePrimaryKey("seen_id", "start_ms")
    seen_id = models.BigIntegerField()
    start_ms = models.BigIntegerField()
    records = models.BigIntegerField()
