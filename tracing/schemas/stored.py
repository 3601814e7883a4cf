"""Rows of one registry's versions, found as its interface asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.models import SubjectVersion, VersionReference
from tracing.schemas.errors import SubjectUnknownError, VersionUnknownError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from django.db.models import QuerySet


def listed(registry: str, offset: int, limit: int) -> QuerySet[SubjectVersion]:
    """Return some of all live versions, by subject and version. Two queries."""
    rows = SubjectVersion.objects.filter(subject__registry=registry, deleted_at=None)
    chosen = rows.order_by("subject__name", "version")[offset : offset + limit]
    # Their ids first: a page far behind does not read the texts of those before it.
    found = SubjectVersion.objects.filter(pk__in=list(chosen.values_list("pk", flat=True)))
    return found.select_related("subject").order_by("subject__name", "version")


def versions(registry: str, subject: str, *, deleted: bool = False) -> QuerySet[SubjectVersion]:
    """Return a subject's versions, ascending."""
    rows = SubjectVersion.objects.filter(subject__registry=registry, subject__name=subject)
    rows = rows.select_related("subject").order_by("version")
    return rows if deleted else rows.filter(deleted_at=None)


def version(
    registry: str, subject: str, number: int | None, *, deleted: bool = False
) -> SubjectVersion:
    """Return one version, the latest for None. Raises SubjectUnknownError, VersionUnknownError."""
    rows = versions(registry, subject, deleted=deleted)
    row = rows.last() if number is None else rows.filter(version=number).first()
    if row is not None:
        return row
    if not rows.exists():
        raise SubjectUnknownError(f"This is {subject!r}.")
    raise VersionUnknownError(f"This is version {number} of {subject!r}.")


def of_id(registry: str, number: int) -> QuerySet[SubjectVersion]:
    """Return the versions that share a schema's id."""
    rows = SubjectVersion.objects.filter(subject__registry=registry, number=number)
    return rows.select_related("subject").order_by("id")


def of_ids(registry: str, numbers: Collection[int]) -> dict[int, SubjectVersion]:
    """Return a version of each of these ids that is known, deleted ones included. One query."""
    rows = SubjectVersion.objects.filter(subject__registry=registry, number__in=list(numbers))
    # The last one stands for its id; the youngest is the one that the registry was seen with last.
    return {row.number: row for row in rows.select_related("subject").order_by("seen_at", "id")}


def users(registry: str, rows: Sequence[SubjectVersion]) -> QuerySet[VersionReference]:
    """Return the references to these versions, of one subject, from outside of them."""
    found = VersionReference.objects.filter(
        user__subject__registry=registry,
        user__deleted_at=None,
        subject=rows[0].subject.name,
        version__in=[row.version for row in rows],
    )
    return found.exclude(user__in=rows)
