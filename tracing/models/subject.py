"""A registry's entries: subjects, their versions, compatibility levels, and who decided what when.

`registry` is the address of the registry that they are of, empty for the built-in store. For the
built-in store these are people's decisions; for another registry they mirror it.
"""

from __future__ import annotations

from django.db import models


class RegistryHead(models.Model):
    """One row a registry. Who writes entries updates it first, and holds it to the commit.

    `last_number` is the last schema id that the built-in store gave away: none is given twice.
    `mirrored_at` is when the whole registry was last looked through, `error` why it was not since.
    """

    registry = models.CharField(max_length=500, primary_key=True)
    last_number = models.IntegerField(default=0)
    mirrored_at = models.DateTimeField(null=True)
    error = models.TextField(default="")


class Subject(models.Model):
    """A subject, with what lists show of its versions that are not deleted.

    `latest` is the newest version, 0 when all are deleted; `type` and `changed_at` are of it.
    `checked_at` is when a mirror last looked at it.
    """

    registry = models.CharField(max_length=500)
    name = models.CharField(max_length=255)
    type = models.CharField(max_length=20, default="")
    latest = models.IntegerField(default=0)
    count = models.IntegerField(default=0)
    changed_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        """Listed by name."""

        constraints = [
            models.UniqueConstraint(fields=["registry", "name"], name="subject_identity")
        ]


class SubjectVersion(models.Model):
    """One version of a subject; `number` is its schema's id in the registry.

    `references` is a list of {name, subject, version}. `fingerprint` is equal for schemas that say
    the same (`schemas.parsing`). `registered_by` is empty and `registered_at` None where the
    registry was told by somebody else: then `seen_at` says when it was found.
    """

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="versions")
    version = models.IntegerField()
    number = models.IntegerField(db_index=True)
    type = models.CharField(max_length=20)
    text = models.TextField()
    references = models.JSONField(default=list)
    fingerprint = models.CharField(max_length=64)
    registered_by = models.CharField(max_length=150, default="")
    registered_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    deleted_by = models.CharField(max_length=150, default="")
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        """One row a version; the same schema is found in any subject."""

        constraints = [
            models.UniqueConstraint(fields=["subject", "version"], name="subject_version_identity")
        ]
        indexes = [models.Index(fields=["fingerprint"], name="subject_version_same")]


class VersionReference(models.Model):
    """Who builds on a version: `user` names it among its references. An index of those."""

    user = models.ForeignKey(SubjectVersion, on_delete=models.CASCADE, related_name="builds_on")
    subject = models.CharField(max_length=255)
    version = models.IntegerField()

    class Meta:
        """Found by what is built on."""

        indexes = [models.Index(fields=["subject", "version"], name="version_reference_target")]


class SubjectWord(models.Model):
    """A word by which a subject is found: of its own name, or of a field's at `path`.

    `word` is UTF-8 in lower case, so that a range of bytes is a prefix in every database;
    `orderCurrency` is found by `ordercurrency` and `currency`. `path` is empty for the name's.
    """

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="words")
    word = models.BinaryField(max_length=80)
    path = models.CharField(max_length=300, default="")

    class Meta:
        """Found by prefix."""

        indexes = [models.Index(fields=["word", "subject"], name="subject_word_prefix")]


class CompatibilityLevel(models.Model):
    """The level that somebody set for a subject; for the whole registry, `subject` is empty."""

    registry = models.CharField(max_length=500)
    subject = models.CharField(max_length=255, default="")
    level = models.CharField(max_length=30)
    set_by = models.CharField(max_length=150, default="")
    set_at = models.DateTimeField()

    class Meta:
        """One level each."""

        constraints = [
            models.UniqueConstraint(fields=["registry", "subject"], name="level_identity")
        ]
