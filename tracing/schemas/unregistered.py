"""Which events name a version that nobody registered: for many events at once, by index alone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tracing.domain.marks import Mark
from tracing.models import Node, Subject, SubjectVersion
from tracing.projections import events as stored_events
from tracing.projections.plain_sql import among
from tracing.projections.version_reading import seen, version_number
from tracing.schemas.current import registry_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.domain.event import Event
    from tracing.projections.reading import FlowLine

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


def flows_that_name_unregistered(lines: Iterable[FlowLine]) -> frozenset[int]:
    """Return the flows that hold an event of a version that nobody registered, by id.

    By subjects that bear a type's name alone, as a line of the list knows no topics; very large
    flows are left out. One query where no type has a subject, three where all versions that were
    seen are known, else a few more, of those flows' events.
    """
    named_by = {line.id: {kind for kind, _, _ in line.strip} for line in lines if not _large(line)}
    types = sorted({kind for kinds in named_by.values() for kind in kinds})[:MAX_NAMED]
    rows = SubjectVersion.objects.filter(
        subject__registry=registry_name(), subject__name__in=types, deleted_at=None
    )
    versions: dict[str, set[int]] = defaultdict(set)
    for kind, number in rows.values_list("subject__name", "version"):
        versions[kind].add(number)
    odd = {
        (kind, one.version)
        for kind, found in (seen(versions) if versions else {}).items()
        for one in found
        if one.version and one.number not in versions[kind]
    }
    kinds = {kind for kind, _ in odd}
    wanted = [flow for flow, there in named_by.items() if there & kinds]
    return _flows_with(odd, wanted) if wanted else frozenset()


def _flows_with(odd: set[tuple[str, str]], flows: list[int]) -> frozenset[int]:
    """Return those of these flows that hold an event of such a (type, version)."""
    kinds, versions = {kind for kind, _ in odd}, {version for _, version in odd}
    nodes = dict(Node.objects.filter(type__in=kinds).values_list("id", "type"))
    of_kinds = f"e.node_id IN (SELECT id FROM tracing_node WHERE {among('type', kinds)})"  # noqa: S608
    rows = stored_events.of_flows(
        flows,
        f"e.error IS NULL AND {of_kinds} AND {among('e.schema_version', versions)}",
        [*kinds, *versions],
        fits=lambda fact: fact.node in nodes,
    )
    return frozenset(
        row.flow_id
        for row in rows
        if row.error is None and (nodes.get(row.node_id), row.schema_version) in odd
    )


def _large(line: FlowLine) -> bool:
    return bool(line.marks & Mark.LARGE)


def _lacks(one: Named, versions: set[int] | None) -> bool:
    return versions is not None and version_number(one[2]) not in versions
