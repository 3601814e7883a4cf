"""What the pages of schemas read: subjects by name or field, one subject with its versions.

Everything is read from our tables, which mirror another registry, so it answers while that is away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.db.models import F
from django.db.models.functions import Substr

from tracing.models import (
    CompatibilityLevel,
    RegistryHead,
    Subject,
    SubjectVersion,
    SubjectWord,
    VersionReference,
)
from tracing.schemas.compatibility import Candidate
from tracing.schemas.current import registry_name
from tracing.schemas.entries import references_of
from tracing.schemas.registry import DEFAULT_LEVEL
from tracing.schemas.words import lowered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from tracing.schemas.registry import Reference

PAGE = 50
MAX_VERSIONS = 500
MAX_WORDS = 5
MAX_PATHS = 3
MAX_USERS = 50
_MAX_BUILT_ON = 50
# Of a schema's text, as much as usually holds its name.
_HEAD = 400


class Line(msgspec.Struct, frozen=True):
    """A subject in the list: its latest version, the level in force, the fields that were found.

    `head` is the beginning of the latest version's text.
    """

    subject: Subject
    latest: SubjectVersion | None
    head: str
    level: str
    own_level: bool
    paths: tuple[str, ...]


class Page(msgspec.Struct, frozen=True):
    """Some subjects by name; `next` is the name to go on behind, '' at the end."""

    lines: list[Line]
    next: str


def subjects(*, text: str = "", after: str = "", limit: int = PAGE) -> Page:
    """Return subjects in order of their names behind `after`. Five queries by index.

    `text`: each of its words begins a word of the subject's name or of a field's.
    """
    rows = Subject.objects.filter(registry=registry_name())
    wanted = [word for part in text.split()[:MAX_WORDS] if (word := lowered(part))]
    for word in wanted:
        rows = rows.filter(id__in=_words(word).values("subject"))
    if after:
        rows = rows.filter(name__gt=after)
    found = list(rows.order_by("name")[: limit + 1])
    shown = found[:limit]
    return Page(_lines(shown, wanted), shown[-1].name if len(found) > limit else "")


def subject(name: str) -> Subject | None:
    """Return a subject, None when there is none of this name. One query."""
    return Subject.objects.filter(registry=registry_name(), name=name).first()


def versions(of: Subject) -> list[SubjectVersion]:
    """Return a subject's versions without their texts, the newest first. One query."""
    return list(of.versions.defer("text").order_by("-version")[:MAX_VERSIONS])


def version(of: Subject, number: int) -> SubjectVersion | None:
    """Return one version with its text. One query."""
    return of.versions.filter(version=number).select_related("subject").first()


def candidate(row: SubjectVersion) -> Candidate:
    """Return a version with what it builds on, for comparing. A query a reference."""
    needed = built_on(row.subject.registry, references_of(row))
    return Candidate(row.type, row.text, needed, f"version {row.version}")


def built_on(registry: str, references: Iterable[Reference]) -> tuple[tuple[str, str], ...]:
    """Return (name, text) of what references lead to, each behind what it needs itself.

    What is missing is left out; a query a reference, of which there are at most 50.
    """
    found: dict[tuple[str, int], tuple[str, str]] = {}
    _gather(registry, references, found)
    return tuple(found.values())


def users(of: Subject, numbers: Iterable[int]) -> list[tuple[int, str, int]]:
    """Return (version, user's subject, its version) of who builds on these. One query."""
    rows = VersionReference.objects.filter(
        user__subject__registry=of.registry,
        subject=of.name,
        version__in=list(numbers),
        user__deleted_at=None,
    )
    listed = rows.values_list("version", "user__subject__name", "user__version")
    return sorted(listed[:MAX_USERS])


def global_level() -> str:
    """Return the level of subjects without one of their own. One query."""
    row = CompatibilityLevel.objects.filter(registry=registry_name(), subject="").first()
    return row.level if row else DEFAULT_LEVEL.value


def level_row(name: str) -> CompatibilityLevel | None:
    """Return who set a subject's level and when, None without one. One query."""
    return CompatibilityLevel.objects.filter(registry=registry_name(), subject=name).first()


def mirror() -> RegistryHead | None:
    """Return how the mirror of another registry stands, None for the built-in one. One query."""
    if not registry_name():
        return None
    return RegistryHead.objects.filter(registry=registry_name()).first()


def _lines(shown: Sequence[Subject], wanted: Sequence[bytes]) -> list[Line]:
    latest = {
        row.subject_id: row
        for row in SubjectVersion.objects.filter(subject__in=shown, version=F("subject__latest"))
        .defer("text")
        .annotate(head=Substr("text", 1, _HEAD))
    }
    levels = dict(
        CompatibilityLevel.objects.filter(
            registry=registry_name(), subject__in=["", *(one.name for one in shown)]
        ).values_list("subject", "level")
    )
    paths = _paths(shown, wanted)
    standard = levels.get("", DEFAULT_LEVEL.value)
    return [
        Line(
            subject=one,
            latest=latest.get(one.pk),
            head=getattr(latest.get(one.pk), "head", ""),
            level=levels.get(one.name, standard),
            own_level=one.name in levels,
            paths=tuple(paths.get(one.pk, ())[:MAX_PATHS]),
        )
        for one in shown
    ]


def _paths(shown: Sequence[Subject], wanted: Sequence[bytes]) -> dict[int, list[str]]:
    """Return the fields by which subjects were found. One query a word."""
    found: dict[int, list[str]] = {}
    for word in wanted:
        rows = _words(word).filter(subject__in=shown).exclude(path="")
        for number, path in rows.order_by("path").values_list("subject", "path")[: PAGE * 20]:
            there = found.setdefault(number, [])
            if path not in there:
                there.append(path)
    return found


def _words(word: bytes) -> QuerySet[SubjectWord]:
    # No byte of UTF-8 is 255: what begins with the word is below.
    return SubjectWord.objects.filter(word__gte=word, word__lt=word + b"\xff")


def _gather(
    registry: str,
    references: Iterable[Reference],
    found: dict[tuple[str, int], tuple[str, str]],
    depth: int = 0,
) -> None:
    for one in references:
        place = (one.subject, one.version)
        if place in found or max(depth, len(found)) >= _MAX_BUILT_ON:
            continue
        row = SubjectVersion.objects.filter(
            subject__registry=registry, subject__name=one.subject, version=one.version
        ).first()
        if row is not None:
            _gather(registry, references_of(row), found, depth + 1)
            found[place] = (one.name, row.text)
