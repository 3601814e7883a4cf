"""Which versions of an event type were seen: for its pages, and for the oldest still produced."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from tracing.models import Node, SeenVersion
from tracing.projections.versions import INTERVAL_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

# Of a type with more, as ids in versions would make it, the rest is left out.
MAX_SEEN = 1_000
_CHUNK = 500
_NUMBER = re.compile(r"[vV]?(\d{1,9})(?:\.0){0,2}")


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a type as one service writes it, copies and retries included.

    `version` is the envelope's, `schema` the id in the frame; empty where a record names none.
    `first_ms` is the beginning of the interval of the first record, `last_ms` the end of the last
    one's: ten minutes each.
    """

    type: str
    service: str
    version: str
    schema: str
    records: int
    first_ms: int
    last_ms: int

    @property
    def number(self) -> int | None:
        """Return the version as a number, None for what is none."""
        return version_number(self.version)


def version_number(version: str | None) -> int | None:
    """Return the number of a version as producers write it: `2`, `v2`, `2.0`, `2.0.0`."""
    found = _NUMBER.fullmatch(version or "")
    return int(found[1]) if found else None


def seen(types: Iterable[str]) -> dict[str, list[Seen]]:
    """Return what was seen of these types: oldest version first, then by service.

    Two queries by index for 500 types, `MAX_SEEN` rows at most.
    """
    found: dict[str, list[Seen]] = defaultdict(list)
    wanted = sorted(set(types))
    for start in range(0, len(wanted), _CHUNK):
        nodes = {
            row.id: row for row in Node.objects.filter(type__in=wanted[start : start + _CHUNK])
        }
        for row in SeenVersion.objects.filter(node_id__in=list(nodes))[:MAX_SEEN]:
            one = _seen(row, nodes[row.node_id])
            found[one.type].append(one)
    for rows in found.values():
        rows.sort(key=_order)
    return dict(found)


def seen_framed(schemas: Iterable[str]) -> dict[str, list[Seen]]:
    """Return what was seen in frames that name these schemas' ids, by id, in order of services.

    Two queries by index for 500 ids, `MAX_SEEN` rows at most.
    """
    found: dict[str, list[Seen]] = defaultdict(list)
    wanted = sorted(set(schemas) - {""})
    for start in range(0, len(wanted), _CHUNK):
        chosen = SeenVersion.objects.filter(schema__in=wanted[start : start + _CHUNK])
        # An index of what has a frame: the database must be told that these are such.
        rows = list(chosen.exclude(schema="")[:MAX_SEEN])
        nodes = Node.objects.in_bulk({row.node_id for row in rows})
        for row in rows:
            if row.node_id in nodes:
                found[row.schema].append(_seen(row, nodes[row.node_id]))
    for one in found.values():
        one.sort(key=lambda row: (row.service, row.type))
    return dict(found)


def types_seen(limit: int = 200, after: str = "") -> list[str]:
    """Return names of event types in order behind `after`. One query by index."""
    rows = Node.objects.filter(type__gt=after).order_by("type")
    return list(rows.values_list("type", flat=True).distinct()[:limit])


def oldest_produced(rows: Iterable[Seen], *, since_ms: int) -> list[Seen]:
    """Return the rows of the oldest version that somebody wrote since then: by whom, how many.

    Versions that are no numbers are older than none. Pure.
    """
    alive = [row for row in rows if row.last_ms > since_ms and row.number is not None]
    oldest = min((row.number or 0 for row in alive), default=0)
    return [row for row in alive if row.number == oldest]


def _seen(row: SeenVersion, node: Node) -> Seen:
    return Seen(
        type=node.type,
        service=node.service,
        version=row.version,
        schema=row.schema,
        records=row.records,
        first_ms=row.first_ms,
        last_ms=row.last_ms + INTERVAL_MS,
    )


def _order(row: Seen) -> tuple[int, str, str, str]:
    return (row.number or 0, row.version, row.schema, row.service)
