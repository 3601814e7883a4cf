"""What the pages of schemas read: subjects by name or field, one subject with its versions.

Everything is read from our tables, which mirror another registry, so it answers while that is away.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec
from django.db.models import F
from django.db.models.functions import Substr

from tracing.models import (
    CompatibilityLevel,
    RegistryHead,
    Subject,
    SubjectVersion,
    VersionReference,
)
from tracing.schemas.current import registry_name
from tracing.schemas.reading import Listed, list_subjects
from tracing.schemas.registry import DEFAULT_LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = 50
MAX_VERSIONS = 500
MAX_PATHS = 3
MAX_USERS = 50
# Of the versions of a page of subjects.
MAX_IDS = 10_000
# Of a schema's text, as much as usually holds its name.
_HEAD = 400


class Line(msgspec.Struct, frozen=True):
    """A subject in the list: its latest version, the level in force, the fields that were found.

    `head` is the beginning of the latest version's text, `ids` its versions by their schemas' ids.
    """

    subject: Subject
    latest: SubjectVersion | None
    head: str
    level: str
    own_level: bool
    paths: tuple[str, ...]
    ids: dict[str, int]


class Page(msgspec.Struct, frozen=True):
    """Some subjects by name; `next` is the name to go on behind, '' at the end."""

    lines: list[Line]
    next: str


def subjects(*, text: str = "", after: str = "", deleted: bool = False) -> Page:
    """Return subjects in order of their names behind `after`. Five queries by index.

    `text`: each of its words begins a word of the subject's name or of a field's. `deleted`: those
    of which every version is deleted, instead of the others.
    """
    found = list_subjects(registry_name(), text=text, after=after, limit=PAGE, deleted=deleted)
    return Page(_lines(found), found.after)


def subject(name: str) -> Subject | None:
    """Return a subject, None when there is none of this name. One query."""
    return Subject.objects.filter(registry=registry_name(), name=name).first()


def versions(of: Subject) -> list[SubjectVersion]:
    """Return a subject's versions without their texts, the newest first. One query."""
    return list(of.versions.defer("text").order_by("-version")[:MAX_VERSIONS])


def version(of: Subject, number: int) -> SubjectVersion | None:
    """Return one version with its text. One query."""
    return of.versions.filter(version=number).select_related("subject").first()


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


def _lines(found: Listed) -> list[Line]:
    latest = {
        row.subject_id: row
        for row in SubjectVersion.objects.filter(
            subject__in=found.subjects, version=F("subject__latest")
        )
        .defer("text")
        .annotate(head=Substr("text", 1, _HEAD))
    }
    levels = dict(
        CompatibilityLevel.objects.filter(
            registry=registry_name(), subject__in=["", *(one.name for one in found.subjects)]
        ).values_list("subject", "level")
    )
    ids: dict[int, dict[str, int]] = defaultdict(dict)
    rows = SubjectVersion.objects.filter(subject__in=found.subjects, deleted_at=None)
    for subject, number, version in rows.values_list("subject", "number", "version")[:MAX_IDS]:
        ids[subject][str(number)] = version
    standard = levels.get("", DEFAULT_LEVEL.value)
    return [
        Line(
            subject=one,
            latest=latest.get(one.pk),
            head=getattr(latest.get(one.pk), "head", ""),
            level=levels.get(one.name, standard),
            own_level=one.name in levels,
            paths=found.paths.get(one.pk, ())[:MAX_PATHS],
            ids=ids[one.pk],
        )
        for one in found.subjects
    ]
