"""Lists of subjects for pages: from our tables, whoever keeps the entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.models import Subject, SubjectWord
from tracing.schemas.words import lowered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

MAX_LIMIT = 200
MAX_PATHS = 5
MAX_WORDS = 5


class Listed(msgspec.Struct, frozen=True):
    """Subjects in order of their names; `paths` are the fields by which one was found.

    `after` is the name to go on behind, empty at the end.
    """

    subjects: tuple[Subject, ...]
    paths: dict[int, tuple[str, ...]]
    after: str


def list_subjects(
    registry: str, *, text: str = "", after: str = "", limit: int = 50, deleted: bool = False
) -> Listed:
    """Return subjects whose name or fields have words that begin with each word of `text`.

    One query or two, by index; `limit` is bounded. `deleted` shows those of which every version
    is deleted, instead of the others.
    """
    limit = max(1, min(limit, MAX_LIMIT))
    rows = Subject.objects.filter(registry=registry, name__gt=after)
    rows = rows.filter(latest=0) if deleted else rows.filter(latest__gt=0)
    wanted = [lowered(word) for word in text.split()][:MAX_WORDS]
    for word in wanted:
        rows = rows.filter(pk__in=_beginning(word).values("subject"))
    found = list(rows.order_by("name")[: limit + 1])
    shown = found[:limit]
    following = shown[-1].name if len(found) > limit else ""
    return Listed(tuple(shown), _paths(shown, wanted), following)


def _beginning(word: bytes) -> QuerySet[SubjectWord]:
    """Return the words of a prefix: a range of bytes, none of which is 0xFF in UTF-8."""
    return SubjectWord.objects.filter(word__gte=word, word__lt=word + b"\xff")


def _paths(subjects: Sequence[Subject], wanted: Sequence[bytes]) -> dict[int, tuple[str, ...]]:
    found: dict[int, dict[str, None]] = {}
    for word in wanted:
        rows = _beginning(word).filter(subject__in=subjects).exclude(path="").order_by("path")
        for subject, path in rows.values_list("subject", "path"):
            found.setdefault(subject, {})[path] = None
    return {subject: tuple(paths)[:MAX_PATHS] for subject, paths in found.items()}
