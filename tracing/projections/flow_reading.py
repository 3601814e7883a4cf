"""Lines of the flow list: by page, by filter, by id, and how many there are."""

from __future__ import annotations

import base64
import binascii
import json
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec
from django.db import models

from tracing.domain.derive import State
from tracing.domain.errors import EventvizError
from tracing.domain.event import JoinedBy
from tracing.domain.marks import BY_SLUG
from tracing.models import Flow, FlowCount
from tracing.projections import events
from tracing.projections.log_reading import head
from tracing.projections.plain_sql import among, select
from tracing.projections.sieve import sieve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracing.projections.event_rows import Row

# An open flow in which nothing moved for this long is shown as quiet.
QUIET_AFTER_MS = 30_000
# A filter without an index looks at this many flows at most, then offers to go on.
MAX_TESTED = 5_000
MAX_COUNTED = 1_000
_CHUNK = 500


class BadCursorError(EventvizError):
    """The cursor is not one of ours: leave it out to begin at the newest."""


class FlowFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows; empty means all. `state` is a display state, `mark` a mark's slug.

    The times bound the start of the flow, in milliseconds, both inclusive.
    """

    state: str = ""
    type: str = ""
    service: str = ""
    mark: str = ""
    since_ms: int | None = None
    until_ms: int | None = None


class FlowLine(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the list. `key` is the first event's, `reason` that of the first failed one."""

    id: int
    correlation_id: str
    joined_by: JoinedBy
    key: str | None
    reason: str | None
    state: State
    marks: int
    events: int
    records: int
    started_ms: int
    last_ms: int
    duration_us: int
    strip: tuple[tuple[str, str, int], ...]
    position: int


class FlowColumns(msgspec.Struct, frozen=True, gc=False):
    """A flow's row without its facts."""

    id: int
    correlation_hash: int
    correlation_id: str
    joined_by: JoinedBy
    state: int
    marks: int
    events: int
    records: int
    started_ms: int
    last_ms: int
    duration_us: int
    root: int
    failure: int | None
    strip: str
    position: int


_NEWEST_FIRST = "started_ms DESC, correlation_hash DESC, id DESC"


class FlowPage(msgspec.Struct, frozen=True):
    """Newest first. `next` continues behind the last flow *tested*, None at the end.

    `tested_to_ms` is the start of that last flow, None when there was none.
    """

    lines: tuple[FlowLine, ...]
    next: str | None
    tested: int
    tested_to_ms: int | None
    position: int


_STATES: dict[str, State] = {
    "running": State.OPEN,
    "quiet": State.OPEN,
    "done": State.DONE,
    "failed": State.FAILED,
    "compensated": State.COMPENSATED,
    "plain": State.PLAIN,
}
DISPLAY_STATES = tuple(_STATES)


def display_state(state: State, last_ms: int, now_ms: int) -> str:
    """Return the state as shown: an open flow is running, or quiet when nothing moved lately."""
    if state is State.OPEN:
        return "running" if now_ms - last_ms < QUIET_AFTER_MS else "quiet"
    return state.name.lower()


def list_flows(
    filter: FlowFilter,  # noqa: A002
    *,
    cursor: str | None,
    limit: int,
    now_ms: int,
) -> FlowPage:
    """Return one page of flows by their start, newest first.

    Costs an index range and a few look-ups by key. Predicates without an index (type, service,
    mark, running or quiet) test at most `MAX_TESTED` flows; then the page may hold fewer than
    `limit` lines and `next` goes on. `filter.state` is one of `DISPLAY_STATES` or empty. Raises
    BadCursorError.
    """
    position = head().position
    page = sieve(
        _candidates(filter, cursor, limit),
        lambda row: _row_matches(row, filter, now_ms),
        limit=limit,
        most=MAX_TESTED,
    )
    following = _cursor_of(page.last) if page.more and page.last else None
    reached_ms = page.last.started_ms if page.last else None
    return FlowPage(tuple(lines_of(page.found)), following, page.tested, reached_ms, position)


def _candidates(wanted: FlowFilter, cursor: str | None, limit: int) -> Iterator[Flow]:
    query = _indexed(wanted)
    behind = _parse_cursor(cursor) if cursor else None
    size = min(limit + 1, _CHUNK)
    while True:
        chunk_query = query
        if behind is not None:
            started_ms, correlation_hash, flow_id = behind
            chunk_query = query.filter(
                models.Q(started_ms__lt=started_ms)
                | models.Q(started_ms=started_ms, correlation_hash__lt=correlation_hash)
                | models.Q(
                    started_ms=started_ms, correlation_hash=correlation_hash, id__lt=flow_id
                ),
                started_ms__lte=started_ms,
            )
        chunk = list(chunk_query.order_by("-started_ms", "-correlation_hash", "-id")[:size])
        yield from chunk
        if len(chunk) < size:
            return
        behind = (chunk[-1].started_ms, chunk[-1].correlation_hash, chunk[-1].id)
        size = _CHUNK


def _indexed(wanted: FlowFilter) -> models.QuerySet[Flow]:
    """Return the flows by the predicates that an index answers."""
    query = Flow.objects.defer("facts")
    if wanted.state:
        query = query.filter(state=_STATES[wanted.state])
    if wanted.since_ms is not None:
        query = query.filter(started_ms__gte=wanted.since_ms)
    if wanted.until_ms is not None:
        query = query.filter(started_ms__lte=wanted.until_ms)
    return query


def _row_matches(row: Flow, wanted: FlowFilter, now_ms: int) -> bool:
    if wanted.state and display_state(State(row.state), row.last_ms, now_ms) != wanted.state:
        return False
    if wanted.mark and not row.marks & BY_SLUG.get(wanted.mark, 0):
        return False
    if not wanted.type and not wanted.service:
        return True
    return _strip_matches(json.loads(row.strip), wanted)


def _strip_matches(strip: Iterable[tuple[str, str, int]], wanted: FlowFilter) -> bool:
    """Tell whether one entry has both the type and the service that are asked for."""
    return any(
        (not wanted.type or entry[0] == wanted.type)
        and (not wanted.service or entry[1] == wanted.service)
        for entry in strip
    )


def line_matches(line: FlowLine, filter: FlowFilter, now_ms: int) -> bool:  # noqa: A002
    """Tell whether a line belongs on a list, without a query."""
    wanted = filter
    if wanted.state and display_state(line.state, line.last_ms, now_ms) != wanted.state:
        return False
    if wanted.mark and not line.marks & BY_SLUG.get(wanted.mark, 0):
        return False
    if wanted.since_ms is not None and line.started_ms < wanted.since_ms:
        return False
    if wanted.until_ms is not None and line.started_ms > wanted.until_ms:
        return False
    return not (wanted.type or wanted.service) or _strip_matches(line.strip, wanted)


def flow_lines(flow_ids: Iterable[int]) -> list[FlowLine]:
    """Return the lines of these flows, newest first. A few queries by key."""
    return lines_of(flow_rows(flow_ids))


def flow_rows(flow_ids: Iterable[int]) -> list[FlowColumns]:
    """Return the rows of these flows, newest first. One query by key."""
    wanted = set(flow_ids)
    condition = f"{among('id', wanted)} ORDER BY {_NEWEST_FIRST}"
    columns = FlowColumns.__struct_fields__
    return [FlowColumns(*row) for row in select(columns, "tracing_flow", condition, wanted)]


def lines_of(rows: Iterable[Flow | FlowColumns], known: Iterable[Row] = ()) -> list[FlowLine]:
    """Return flows as lines, in the order given. A few queries by key, for events not known."""
    found = list(rows)
    said = _said_by(row for row in known if not row.part)
    wanted = {row.root for row in found} | {row.failure for row in found if row.failure}
    if rest := wanted - said.keys():
        said |= _said_by(events.of_records(rest))
    return [_line(row, said) for row in found]


def _said_by(rows: Iterable[Row]) -> dict[int, tuple[str | None, str | None]]:
    """Return (key, reason) of the first event in each record."""
    in_order = sorted(rows, key=attrgetter("record", "part"), reverse=True)
    return {row.record: (row.key, row.reason) for row in in_order}


def _line(row: Flow | FlowColumns, said: dict[int, tuple[str | None, str | None]]) -> FlowLine:
    failed = said.get(row.failure, (None, None)) if row.failure else (None, None)
    return FlowLine(
        id=row.id,
        correlation_id=row.correlation_id,
        joined_by=row.joined_by,  # type: ignore[arg-type]
        key=said.get(row.root, (None, None))[0],
        reason=failed[1],
        state=State(row.state),
        marks=row.marks,
        events=row.events,
        records=row.records,
        started_ms=row.started_ms,
        last_ms=row.last_ms,
        duration_us=row.duration_us,
        strip=tuple((entry[0], entry[1], entry[2]) for entry in json.loads(row.strip)),
        position=row.position,
    )


def flow_totals(now_ms: int) -> dict[str, tuple[int, bool]]:
    """Return display state -> (how many, exactly?). Open flows are counted up to a thousand."""
    totals = {row.state: row.flows for row in FlowCount.objects.all()}
    border = now_ms - QUIET_AFTER_MS
    running = Flow.objects.filter(state=State.OPEN, last_ms__gt=border)[: MAX_COUNTED + 1].count()
    exact = running <= MAX_COUNTED
    running = min(running, MAX_COUNTED)
    return {
        "running": (running, exact),
        "quiet": (max(totals.get(State.OPEN, 0) - running, 0), exact),
        "failed": (totals.get(State.FAILED, 0), True),
        "compensated": (totals.get(State.COMPENSATED, 0), True),
        "done": (totals.get(State.DONE, 0), True),
        "plain": (totals.get(State.PLAIN, 0), True),
    }


def _cursor_of(row: Flow) -> str:
    raw = f"{row.started_ms},{row.correlation_hash},{row.id}"
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def _parse_cursor(cursor: str) -> tuple[int, int, int]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        started_ms, correlation_hash, flow_id = map(int, raw.split(b","))
    except (ValueError, binascii.Error, UnicodeError):
        raise BadCursorError from None
    if max(abs(started_ms), abs(correlation_hash), abs(flow_id)) >= 1 << 63:
        raise BadCursorError
    return started_ms, correlation_hash, flow_id
