"""Sagas: what people declare them to be, and the read models of what they did."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class SagaDefinition(models.Model):
    """One version of a saga's definition: a person's decision, never changed but by its time.

    In force until it is ended. An instance belongs to the version whose time covers its starting
    event: the one with the latest `valid_from` before it.
    """

    name = models.CharField(max_length=200)
    version = models.IntegerField()
    valid_from = models.DateTimeField()
    text = models.TextField()
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField()
    ended_by = models.CharField(max_length=150, default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Versions count within a name."""

        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="sagadefinition_identity")
        ]


class SagaInstance(models.Model):
    """One saga: every column but the first four is derived from `facts` and the definition.

    `id` is a digest of definition, `rule` (by what instances are told apart) and `key`. `phase` is
    a `domain.saga.Phase`; it is -1, and all times are None, while no definition covers a starting
    event. `step` is what it waits for `since_ms`. `flags` has a bit (1 << flag) for each.
    `stuck_from_ms` is when it will be overdue with nothing having moved. `start` and `failure` are
    record ids, `flow_id` is the starting event's flow.
    """

    id = models.CharField(max_length=32, primary_key=True)
    definition = models.TextField()
    rule = models.TextField()
    key = models.TextField()
    version = models.IntegerField()
    phase = models.SmallIntegerField()
    state = models.TextField()
    step = models.TextField()
    flags = models.IntegerField()
    started_ms = models.BigIntegerField(null=True)
    ended_ms = models.BigIntegerField(null=True)
    last_ms = models.BigIntegerField()
    since_ms = models.BigIntegerField(null=True)
    timeout_at_ms = models.BigIntegerField(null=True)
    stuck_from_ms = models.BigIntegerField(null=True)
    start = models.BigIntegerField(null=True)
    failure = models.BigIntegerField(null=True)
    flow_id = models.BigIntegerField(null=True)
    position = models.BigIntegerField()
    facts = models.BinaryField()

    class Meta:
        """The newest of all, of a definition, of a state, at a step; what is overdue; a key's."""

        indexes = [
            models.Index(fields=["started_ms", "id"], name="saga_started"),
            models.Index(fields=["definition", "started_ms", "id"], name="saga_definition"),
            models.Index(fields=["definition", "state", "started_ms", "id"], name="saga_state"),
            models.Index(
                fields=["definition", "step", "since_ms", "id"],
                name="saga_step",
                condition=Q(ended_ms=None),
            ),
            models.Index(
                fields=["timeout_at_ms", "id"],
                name="saga_timeout",
                condition=Q(timeout_at_ms__isnull=False),
            ),
            models.Index(
                fields=["stuck_from_ms", "id"],
                name="saga_stuck",
                condition=Q(stuck_from_ms__isnull=False),
            ),
            models.Index(fields=["key"], name="saga_key"),
        ]


class SagaFlow(models.Model):
    """In which flows a saga's events are: usually one."""

    pk = models.CompositePrimaryKey("flow_id", "saga")
    flow_id = models.BigIntegerField()
    saga = models.CharField(max_length=32)

    class Meta:
        """Pruning asks by saga."""

        indexes = [models.Index(fields=["saga"], name="sagaflow_saga")]


class SagaFlag(models.Model):
    """One flag of one saga; `step` is an index, -1 for the whole saga."""

    pk = models.CompositePrimaryKey("saga", "flag", "step")
    saga = models.CharField(max_length=32)
    flag = models.SmallIntegerField()
    step = models.SmallIntegerField()
    definition = models.TextField()
    started_ms = models.BigIntegerField()

    class Meta:
        """The newest with a flag."""

        indexes = [models.Index(fields=["flag", "started_ms", "saga"], name="sagaflag_newest")]


class SagaCount(models.Model):
    """How many sagas of a definition stand in a state, at a step."""

    pk = models.CompositePrimaryKey("definition", "phase", "state", "step")
    definition = models.TextField()
    phase = models.SmallIntegerField()
    state = models.TextField()
    step = models.TextField()
    n = models.BigIntegerField()


class SagaFlagCount(models.Model):
    """How many sagas of a definition bear a flag, by the step that it is about, empty for none."""

    pk = models.CompositePrimaryKey("definition", "flag", "step")
    definition = models.TextField()
    flag = models.SmallIntegerField()
    step = models.TextField()
    n = models.BigIntegerField()


class SagaDuration(models.Model):
    """How often a step or a compensation took so long (`domain.buckets`)."""

    pk = models.CompositePrimaryKey("definition", "step", "bucket")
    definition = models.TextField()
    step = models.TextField()
    bucket = models.SmallIntegerField()
    n = models.BigIntegerField()
