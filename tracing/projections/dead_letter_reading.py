"""Groups of dead letters and their messages as pages and the API read them: all by index.

What people decided, and what became of retries, lives in tables of its own and is joined here.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec
from django.db.models import Count, Min, OuterRef, Q, Subquery

from tracing.domain.failure import group_key, group_of
from tracing.domain.text import clean
from tracing.models import (
    DeadLetter,
    DeadLetterGroup,
    DeadLetterHour,
    GroupDecision,
    RetryTally,
)
from tracing.projections.dead_letters import HOUR_MS
from tracing.projections.plain_sql import select
from tracing.projections.sieve import Sieved, sieve

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from django.db.models import QuerySet

STATES = ("open", "new", "regressed", "acknowledged", "resolved", "ignored")
OPEN = frozenset({"new", "regressed", "acknowledged"})
# What a filter by state or text tests at most; then it says so and goes on by cursor.
MAX_TESTED = 2_000
HOURS = 24
_CHUNK = 200
_COLUMNS = {
    "topic": "source_topic",
    "consumer": "consumer",
    "exception": "exception",
    "type": "event_type",
}


class GroupFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What the inbox is asked for; '' filters nothing. `q` is looked for in all its columns."""

    state: str = ""
    topic: str = ""
    consumer: str = ""
    exception: str = ""
    type: str = ""
    q: str = ""


class GroupLine(msgspec.Struct, frozen=True, kw_only=True):
    """One group. `open` counts what neither recovered nor was put aside, 0 in a closed group.

    `example` is the newest message as it came. `hours` are the last 24 hours, the newest last.
    """

    id: int
    key: str
    state: str
    source_topic: str
    consumer: str
    exception: str
    message: str
    event_type: str
    count: int
    open: int
    retried: int
    recovered: int
    failed_again: int
    discarded: int
    first_ms: int
    last_ms: int
    example: str
    owner: str
    note: str
    decided_by: str
    decided_ms: int
    hours: tuple[int, ...] = ()


class GroupPage(msgspec.Struct, frozen=True):
    """Groups, the newest first; `next` continues, None at the end; `tested` were looked at."""

    lines: tuple[GroupLine, ...]
    next: str | None
    tested: int


class Totals(msgspec.Struct, frozen=True):
    """How much is open: messages, groups, and since when."""

    messages: int
    groups: int
    oldest_ms: int | None


def parse_filter(given: Mapping[str, str]) -> GroupFilter:
    """Return the filter of an address: bounded texts; an unknown state filters nothing."""
    texts = {name: clean(given.get(name, "").strip()) for name in GroupFilter.__struct_fields__}
    if texts["state"] not in STATES:
        texts["state"] = ""
    return GroupFilter(**texts)


def list_groups(
    wanted: GroupFilter, *, cursor: str | None = None, limit: int = 50, now_ms: int
) -> GroupPage:
    """Return groups by their last dead letter. Costs four queries a `_CHUNK` that is tested."""
    page = _sieved(wanted, cursor, limit)
    following = f"{page.last.last_ms}-{page.last.key}" if page.more and page.last else None
    return GroupPage(tuple(_with_hours(page.found, now_ms)), following, page.tested)


def _sieved(wanted: GroupFilter, cursor: str | None, limit: int) -> Sieved[GroupLine]:
    lines = _lines(wanted, cursor, min(limit + 1, _CHUNK))
    return sieve(lines, lambda line: _matches(line, wanted), limit=limit, most=MAX_TESTED)


def read_group(group_id: int, *, now_ms: int) -> GroupLine | None:
    """Return one group, None when it is not there. Four look-ups by key."""
    lines = list(_joined(list(_rows().filter(id=group_id))))
    return _with_hours(lines, now_ms)[0] if lines else None


def matching_groups(wanted: GroupFilter, limit: int = 1_000) -> list[int]:
    """Return the ids of the groups that a filter finds, at most `limit`, the newest first."""
    return [line.id for line in _sieved(wanted, None, limit).found]


def totals() -> Totals:
    """Return what is open, from the groups' counters; one query while there are none."""
    ((messages, groups, oldest),) = select(
        ("SUM(count)", "COUNT(*)", "MIN(first_ms)"), "tracing_deadlettergroup", "1 = 1", ()
    )
    if not groups:
        return Totals(0, 0, None)
    closed = set(_closed())
    tallies = RetryTally.objects.filter(Q(recovered__gt=0) | Q(discarded__gt=0))
    done = {row.group_id: row.done for row in tallies[:MAX_TESTED]}
    gone = 0
    touched = list(closed | done.keys())
    for start in range(0, len(touched), 500):
        rows = DeadLetterGroup.objects.filter(id__in=touched[start : start + 500])
        for group_id, count in rows.values_list("id", "count"):
            settled = count if group_id in closed else min(done[group_id], count)
            gone += settled
            if settled == count:
                closed.add(group_id)
    if not closed:
        return Totals(int(messages) - gone, groups, oldest)
    still = DeadLetterGroup.objects.exclude(id__in=list(closed)[:10_000])
    rest = still.aggregate(groups=Count("id"), oldest=Min("first_ms"))
    return Totals(int(messages) - gone, rest["groups"], rest["oldest"])


def _closed() -> Iterator[int]:
    """Yield the groups that are resolved or ignored, those that have regressed left out."""
    decisions = GroupDecision.objects.filter(state__in=("resolved", "ignored"))
    held = {row.group_id: row for row in decisions[:10_000]}
    ids = list(held)
    for start in range(0, len(ids), 500):
        rows = DeadLetterGroup.objects.filter(id__in=ids[start : start + 500])
        for group_id, last_ms in rows.values_list("id", "last_ms"):
            if _state(held[group_id], last_ms) not in OPEN:
                yield group_id


def _state(decision: GroupDecision | None, last_ms: int) -> str:
    if decision is None or not decision.state:
        return "new"
    if decision.state == "resolved" and last_ms > decision.last_ms_then:
        return "regressed"
    return decision.state


def _rows() -> QuerySet[DeadLetterGroup, DeadLetterGroup]:
    newest = DeadLetter.objects.filter(group_id=OuterRef("id")).order_by("-timestamp_ms", "-record")
    return DeadLetterGroup.objects.annotate(example=Subquery(newest.values("message")[:1]))


def _lines(wanted: GroupFilter, cursor: str | None, size: int) -> Iterator[GroupLine]:
    """Yield groups from the newest on, the first `size` by the first query.

    What a column tells is filtered by the database.
    """
    exact = {column: text for name, column in _COLUMNS.items() if (text := getattr(wanted, name))}
    query = _rows().filter(**exact).order_by("-last_ms", "-id")
    after = _place(cursor)
    while True:
        behind = query
        if after is not None:
            behind = query.filter(
                Q(last_ms__lt=after[0]) | Q(last_ms=after[0], id__lt=after[1]),
                last_ms__lte=after[0],
            )
        rows = list(behind[:size])
        yield from _joined(rows)
        if len(rows) < size:
            return
        size = _CHUNK
        after = (rows[-1].last_ms, rows[-1].id)


def _place(cursor: str | None) -> tuple[int, int] | None:
    last_ms, _, key = (cursor or "").partition("-")
    group_id = group_of(key)
    if group_id is None or not last_ms.isdigit() or len(last_ms) > 15:
        return None
    return int(last_ms), group_id


def _joined(rows: Collection[DeadLetterGroup]) -> Iterator[GroupLine]:
    """Join what people decided and what became of retries. Two look-ups by key."""
    ids = [row.id for row in rows]
    decisions = GroupDecision.objects.in_bulk(ids)
    tallies = RetryTally.objects.in_bulk(ids)
    for row in rows:
        decision, tally = decisions.get(row.id), tallies.get(row.id)
        if decision is not None and decision.fingerprint != row.fingerprint:
            decision = None
        state = _state(decision, row.last_ms)
        done = tally.done if tally else 0
        yield GroupLine(
            id=row.id,
            key=group_key(row.id),
            state=state,
            source_topic=row.source_topic,
            consumer=row.consumer,
            exception=row.exception,
            message=row.message,
            event_type=row.event_type,
            count=row.count,
            open=max(row.count - done, 0) if state in OPEN else 0,
            retried=tally.retried if tally else 0,
            recovered=tally.recovered if tally else 0,
            failed_again=row.failed_again,
            discarded=tally.discarded if tally else 0,
            first_ms=row.first_ms,
            last_ms=row.last_ms,
            example=getattr(row, "example", None) or "",
            owner=decision.owner if decision else "",
            note=decision.note if decision else "",
            decided_by=decision.decided_by if decision else "",
            decided_ms=int(decision.decided_at.timestamp() * 1_000) if decision else 0,
        )


def _matches(line: GroupLine, wanted: GroupFilter) -> bool:
    if wanted.state == "open":
        if not line.open:
            return False
    elif wanted.state and line.state != wanted.state:
        return False
    if not wanted.q:
        return True
    texts = (line.exception, line.message, line.example, line.source_topic, line.consumer)
    text = wanted.q.lower()
    return any(text in one.lower() for one in (*texts, line.event_type, line.owner, line.note))


def _with_hours(lines: list[GroupLine], now_ms: int) -> list[GroupLine]:
    """Give groups their last hours. One range query by key a group of groups."""
    newest = now_ms // HOUR_MS
    by_group: dict[int, dict[int, int]] = defaultdict(dict)
    rows = DeadLetterHour.objects.filter(
        group_id__in=[line.id for line in lines], hour__gt=newest - HOURS
    )
    for group_id, hour, n in rows.values_list("group_id", "hour", "n"):
        by_group[group_id][hour] = n
    span = range(newest - HOURS + 1, newest + 1)
    return [
        msgspec.structs.replace(line, hours=tuple(by_group[line.id].get(hour, 0) for hour in span))
        for line in lines
    ]
