"""Which events name a version that nobody registered: for many events at once, by index alone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tracing.models import Subject, SubjectVersion
from tracing.projections.version_reading import version_number
from tracing.schemas.current import registry_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.domain.event import Event

# (type, topic, version) as an event has them.
Named = tuple[str, str, str]
MAX_NAMED = 500


def named(event: Event) -> Named:
    """Return what an event says of its schema."""
    return (event.type, event.topic, event.schema_version or "")


def unregistered(events: Iterable[Event]) -> frozenset[Named]:
    """Return what names a version that its subject does not have. A query or two.

    Only by subjects that bear the type's name: whether a topic's subject is of a type is in its
    schemas' texts, which an event's own page looks into (`wire.Expectations`).
    """
    wanted = sorted({named(one) for one in events if one.schema_version and not one.error})
    subjects = {
        one: (kind, f"{topic}-{kind}")
        for one in wanted[:MAX_NAMED]
        for kind, topic, _version in [one]
    }
    names = {name for pair in subjects.values() for name in pair}
    known = Subject.objects.filter(registry=registry_name(), name__in=names, latest__gt=0)
    if not names or not (found := dict(known.values_list("id", "name"))):
        return frozenset()
    versions: dict[str, set[int]] = defaultdict(set)
    rows = SubjectVersion.objects.filter(subject__in=list(found), deleted_at=None)
    for subject, number in rows.values_list("subject", "version"):
        versions[found[subject]].add(number)
    return frozenset(
        one
        for one, (bare, of_topic) in subjects.items()
        if _lacks(one, versions.get(bare) or versions.get(of_topic))
    )


def _lacks(one: Named, versions: set[int] | None) -> bool:
    return versions is not None and version_number(one[2]) not in versions
