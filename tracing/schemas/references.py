"""What schemas build on: followed in our tables, bounded, whoever keeps the entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.models import SubjectVersion
from tracing.schemas.compatibility import Candidate
from tracing.schemas.errors import BadSchemaError
from tracing.schemas.registry import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_REFERENCES = 50

# The (name, text) of each, behind those that it needs itself.
Needed = tuple[tuple[str, str], ...]
_Place = tuple[str, int]


def references_of(row: SubjectVersion) -> tuple[Reference, ...]:
    """Return what a version builds on."""
    return tuple(msgspec.convert(one, Reference) for one in row.references)


def built_on(registry: str, references: Iterable[Reference], *, whole: bool) -> Needed:
    """Return what references lead to. A query for each, of which there are `MAX_REFERENCES`.

    What is missing, too much or leads in a circle raises BadSchemaError if it must be `whole`, and
    is left out else.
    """
    found: dict[_Place, tuple[str, str]] = {}
    try:
        _gather(registry, references, found, frozenset(), whole=whole)
    except _TooManyError:
        if whole:
            raise BadSchemaError(f"It builds on more than {MAX_REFERENCES} others.") from None
    return tuple(found.values())


def candidate(row: SubjectVersion, *, whole: bool = False) -> Candidate:
    """Return a version with what it builds on, for comparing; `whole` as `built_on` has it."""
    needed = built_on(row.subject.registry, references_of(row), whole=whole)
    return Candidate(row.type, row.text, needed, f"version {row.version}")


class _TooManyError(Exception):
    """More is asked for than is followed."""


def _gather(
    registry: str,
    references: Iterable[Reference],
    found: dict[_Place, tuple[str, str]],
    open_: frozenset[_Place],
    *,
    whole: bool,
) -> None:
    """Add what references lead to; `open_` are those on the way here, so that circles end."""
    for one in references:
        place = (one.subject, one.version)
        if place in found:
            continue
        if place in open_ or len(open_) + len(found) >= MAX_REFERENCES:
            raise _TooManyError
        row = SubjectVersion.objects.filter(
            subject__registry=registry, subject__name=one.subject, version=one.version
        ).first()
        if row is not None:
            _gather(registry, references_of(row), found, open_ | {place}, whole=whole)
            found[place] = (one.name, row.text)
        elif whole:
            said = f"It refers to {one.name!r}, version {one.version} of {one.subject!r}"
            raise BadSchemaError(f"{said}, which is not registered.")
