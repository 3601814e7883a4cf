"""The log: every record that was read, byte for byte, and the head that orders what is new."""

from __future__ import annotations

from django.db import models


class LogHead(models.Model):
    """The one row that every writer locks first: positions follow commit order.

    A follower reads it to know whether anything is new. `generation` changes when the read
    models were rebuilt: what a page holds from before means nothing any more.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    position = models.BigIntegerField(default=0)
    generation = models.IntegerField(default=1)


class Record(models.Model):
    """A Kafka record, unless it is in a `RecordBlock`. Its id holds partition and offset.

    `headers` is a MessagePack list of [name, value or nil]. An oversized value keeps a prefix,
    `value_length` and `value_sha256` of the whole. `error` says why a record could not be read
    from the broker at all; such a row has no bytes.
    """

    id = models.BigIntegerField(primary_key=True)
    timestamp_ms = models.BigIntegerField()
    key = models.BinaryField(null=True)
    value = models.BinaryField(null=True)
    value_length = models.BigIntegerField(default=0)
    value_sha256 = models.BinaryField(null=True)
    headers = models.BinaryField(default=b"")
    error = models.TextField(null=True)


class RecordBlock(models.Model):
    """Neighbouring records of a partition, compressed (`projections.record_log`).

    Its id is what theirs have in common, `timestamp_ms` that of the first.
    """

    id = models.BigIntegerField(primary_key=True)
    timestamp_ms = models.BigIntegerField()
    records = models.SmallIntegerField()
    packed = models.BinaryField()
