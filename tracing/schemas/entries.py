"""How entries stand in the tables, whoever keeps them: rows of versions, words, what lists show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.db.models import F

from tracing.models import (
    CompatibilityLevel,
    RegistryHead,
    Subject,
    SubjectVersion,
    SubjectWord,
    VersionReference,
)
from tracing.schemas.references import references_of
from tracing.schemas.registry import Entry, Level
from tracing.schemas.words import fields, words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable


def lock(registry: str) -> RegistryHead:
    """Let nobody else write this registry's entries before the transaction ends. Two statements."""
    held = RegistryHead.objects.filter(registry=registry)
    if not held.update(last_number=F("last_number")):
        RegistryHead.objects.bulk_create([RegistryHead(registry=registry)], ignore_conflicts=True)
        held.update(last_number=F("last_number"))
    return held.get()


def row_of(subject: Subject, entry: Entry, *, fingerprint: str, now: dt.datetime) -> SubjectVersion:
    """Return a version's row, not yet stored."""
    return SubjectVersion(
        subject=subject,
        version=entry.version,
        number=entry.id,
        type=entry.type[:20],
        text=entry.text.replace("\x00", ""),
        references=[msgspec.to_builtins(one) for one in entry.references],
        fingerprint=fingerprint,
        seen_at=now,
        deleted_at=now if entry.deleted else None,
    )


def entry_of(row: SubjectVersion) -> Entry:
    """Return what a row holds; its subject must have been selected with it."""
    return Entry(
        subject=row.subject.name,
        version=row.version,
        id=row.number,
        type=row.type,
        text=row.text,
        references=references_of(row),
        deleted=row.deleted_at is not None,
    )


def index(subject: Subject, rows: Iterable[tuple[SubjectVersion, Any]]) -> None:
    """Make new versions of a subject findable: by what they build on, by their fields' words.

    Each comes with its schema's JSON, None when it is none.
    """
    known = {(bytes(word), path) for word, path in subject.words.values_list("word", "path")}
    wanted = {(word, "") for word in words(subject.name)}
    targets: list[VersionReference] = []
    for row, value in rows:
        for path in fields(value):
            wanted |= {(word, path) for word in words(path.rpartition(".")[2])}
        targets += [
            VersionReference(user=row, subject=one.subject, version=one.version)
            for one in references_of(row)
        ]
    fresh = sorted(wanted - known)
    SubjectWord.objects.bulk_create(
        [SubjectWord(subject=subject, word=word, path=path) for word, path in fresh]
    )
    VersionReference.objects.bulk_create(targets)


def summarize(subject: Subject) -> None:
    """Write what lists show of a subject; remove one without any version. Three statements."""
    rows = subject.versions.defer("text", "references")
    live = list(rows.filter(deleted_at=None).order_by("version"))
    if not live and not rows.exists():
        subject.delete()
        return
    subject.count = len(live)
    subject.latest = live[-1].version if live else 0
    if live:
        subject.type = live[-1].type
        subject.changed_at = live[-1].registered_at or live[-1].seen_at
    subject.save()


def store_level(registry: str, subject: str, level: Level | None, now: dt.datetime) -> None:
    """Keep a level as it is there; who set it is known where it was set through us."""
    rows = CompatibilityLevel.objects.filter(registry=registry, subject=subject)
    if level is None:
        rows.delete()
    elif not rows.filter(level=level.value).exists():
        rows.update_or_create(
            registry=registry,
            subject=subject,
            defaults={"level": level.value, "set_by": "", "set_at": now},
        )
