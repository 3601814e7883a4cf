"""Which records a run is about: chosen ones, dead letters, a flow, a key, a topic's time range.

A selection is stored as JSON and listed page by page, so a run of any size stays small in memory.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from django.db.models import Q

from tracing.domain.errors import EventvizError
from tracing.domain.failure import group_of
from tracing.domain.text import hash64
from tracing.models import (
    DeadLetter,
    DeadLetterGroup,
    Flow,
    Partition,
    SearchKey,
    Source,
)
from tracing.models.source import record_id
from tracing.projections import events
from tracing.retry.letters import FILTERS, groups_of, unknown_filters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracing.projections.event_rows import Row

# Records that are named one by one.
MAX_RECORDS = 1_000
# Groups that are named one by one, in one text with commas between.
MAX_GROUPS = 100
# A key that occurs in more flows than this: the newest of them.
MAX_FLOWS = 200
# Events of a topic that are in memory at once.
_TESTED = 500
_END = (1 << 44) - 1
# So many records in a row are behind the selected time: whatever the order, it is over.
_TOO_YOUNG = 50_000

Cursor = list[int]
Kind = Literal["records", "group", "filter", "flow", "key", "topic"]


class BadSelectionError(EventvizError):
    """Say which records: by number, group, filter, flow, key, or topic and time."""


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is selected. Times are Kafka's, in milliseconds, the end not included."""

    kind: Kind
    records: tuple[int, ...] = ()
    text: str = ""
    since_ms: int | None = None
    until_ms: int | None = None

    def check(self) -> None:
        """Raise BadSelectionError for one that selects nothing by its form."""
        if self.kind == "records" and not 0 < len(self.records) <= MAX_RECORDS:
            raise BadSelectionError(f"1 to {MAX_RECORDS:,} records.")
        if self.kind != "records" and not self.text:
            raise BadSelectionError(f"Which {self.kind}?")
        if self.kind == "group" and not 0 < len(self.groups) <= MAX_GROUPS:
            raise BadSelectionError(f"1 to {MAX_GROUPS} groups, each 16 hexadecimal digits.")
        unknown = unknown_filters(self.text) if self.kind == "filter" else []
        if unknown:
            raise BadSelectionError(f"{unknown[0]!r}: there are {', '.join(FILTERS)}.")

    @property
    def groups(self) -> list[int]:
        """Return the groups that are named, none when one is not a group's key."""
        found = [group_of(key) for key in dict.fromkeys(self.text.split(","))]
        known = [group for group in found if group is not None]
        return known if len(known) == len(found) else []

    def covers(self, timestamp_ms: int) -> bool:
        """Tell whether a time lies in the selected range."""
        return (self.since_ms is None or timestamp_ms >= self.since_ms) and (
            self.until_ms is None or timestamp_ms < self.until_ms
        )

    @property
    def words(self) -> str:
        """Return the selection in words."""
        if self.kind == "records":
            count = len(self.records)
            return f"{count:,} record" + ("s" if count != 1 else "")
        if self.kind == "group":
            if len(self.groups) > 1:
                return f"{len(self.groups)} groups"
            group = DeadLetterGroup.objects.filter(id__in=self.groups).first()
            return f"group {group.exception or group.source_topic}" if group else "a group"
        return f"{self.kind} {self.text}"


def dump(selection: Selection) -> dict[str, Any]:
    """Return a selection as it is stored."""
    found: dict[str, Any] = msgspec.to_builtins(selection)
    return found


def load(stored: dict[str, Any]) -> Selection:
    """Return a stored selection."""
    return msgspec.convert(stored, Selection)


def page(
    selection: Selection, cursor: Cursor | None, *, until: int, limit: int
) -> tuple[list[int], Cursor | None]:
    """Return at most `limit` record ids behind a cursor, and the next cursor, None at the end.

    `until` is the log's position when the run was asked for: what came later is not meant.
    """
    if selection.kind == "records":
        start = cursor[0] if cursor else 0
        found = list(selection.records[start : start + limit])
        more = start + limit < len(selection.records)
        return found, [start + limit] if more else None
    if selection.kind == "topic":
        return _of_topic(selection, cursor, until, limit)
    if selection.kind in ("group", "filter"):
        return _of_groups(selection, cursor, until, limit)
    rows = _of_flows(selection, cursor[0] if cursor else 0, until, limit)
    meant = (row for row in rows if selection.kind != "key" or row.key == selection.text)
    found = list(dict.fromkeys(row.record for row in meant))
    return found, [rows[-1].position] if len(rows) == limit else None


def _of_flows(selection: Selection, after: int, until: int, limit: int) -> list[Row]:
    """Return a flow's events, or those of a key's flows whose keys have its hash."""
    flows = _flows(selection)
    if selection.kind == "flow":
        return events.of_flows(flows, after=after, until=until, limit=limit)
    wanted = hash64(selection.text)
    return events.of_flows(
        flows,
        "e.key = %s",
        (selection.text,),
        fits=lambda fact: fact.key == wanted,
        after=after,
        until=until,
        limit=limit,
    )


def _flows(selection: Selection) -> list[int]:
    wanted = hash64(selection.text)
    if selection.kind == "flow":
        flows = Flow.objects.filter(correlation_hash=wanted, correlation_id=selection.text)
        return list(flows.values_list("id", flat=True))
    keys = SearchKey.objects.filter(key_hash=wanted).order_by("-flow_id")
    return list(keys.values_list("flow_id", flat=True)[:MAX_FLOWS])


def _of_groups(
    selection: Selection, cursor: Cursor | None, until: int, limit: int
) -> tuple[list[int], Cursor | None]:
    """List groups one by one. `cursor` is [groups done, last timestamp, last record]."""
    groups = selection.groups if selection.kind == "group" else groups_of(selection.text)
    place, last_ms, last = cursor or [0, -1, -1]
    found: list[int] = []
    while place < len(groups) and len(found) < limit:
        behind = Q(timestamp_ms__gt=last_ms) | Q(timestamp_ms=last_ms, record__gt=last)
        letters = DeadLetter.objects.filter(
            behind, group_id=groups[place], position__lte=until, timestamp_ms__gte=last_ms
        )
        wanted = limit - len(found)
        rows = list(
            letters.order_by("timestamp_ms", "record").values_list("timestamp_ms", "record")[
                :wanted
            ]
        )
        found += [record for _, record in rows]
        if len(rows) == wanted:
            return found, [place, *rows[-1]]
        place, last_ms, last = place + 1, -1, -1
    return found, [place, -1, -1] if place < len(groups) else None


def _of_topic(
    selection: Selection, cursor: Cursor | None, until: int, limit: int
) -> tuple[list[int], Cursor | None]:
    """List a topic partition by partition. `cursor` is [partition's place, last record]."""
    partitions = _partitions(selection.text)
    place, last = cursor or [0, -1]
    found: list[int] = []
    while place < len(partitions) and len(found) < limit:
        begin, end = record_id(partitions[place], 0), record_id(partitions[place], _END)
        if last < begin:
            last = _first_at(begin, end, selection.since_ms) - 1
        wanted = limit - len(found)
        rows = list(itertools.islice(_meant(selection, last, end, until), wanted))
        found += rows
        if len(rows) == wanted:
            return found, [place, rows[-1]]
        place, last = place + 1, -1
    return found, [place, -1] if place < len(partitions) else None


def _meant(selection: Selection, last: int, end: int, until: int) -> Iterator[int]:
    """Yield the records behind `last` that are selected. A few queries for `_TESTED` events.

    Ends where so many in a row are too young that none can be meant any more.
    """
    too_young = 0
    while rows := events.between_records(last + 1, end, _TESTED):
        for row in rows:
            if selection.until_ms is not None and row.timestamp_ms >= selection.until_ms:
                too_young += 1
                continue
            too_young = 0
            if row.part == 0 and row.position <= until and selection.covers(row.timestamp_ms):
                yield row.record
        last = rows[-1].record
        if too_young > _TOO_YOUNG:
            return


def _partitions(topic: str) -> list[int]:
    newest = Source.objects.filter(topic=topic).order_by("-id").first()
    if newest is None:
        return []
    rows = Partition.objects.filter(source=newest).order_by("number")
    return list(rows.values_list("id", flat=True))


def _first_at(begin: int, end: int, since_ms: int | None) -> int:
    """Return a record id before which a partition has nothing as young, by bisection.

    Kafka's timestamps may be out of order by as much as producers wait: a little is gone back.
    """
    if since_ms is None:
        return begin
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        rows = events.between_records(middle, end, 1)
        if not rows or rows[0].timestamp_ms >= since_ms:
            high = middle
        else:
            low = middle + 1
    return max(low - 1_000, begin)
