"""The flow list as it is shown: rows, totals, menus; the page and the socket use the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from tracing.domain.marks import BY_SLUG, LABELS
from tracing.projections import reading
from tracing.schemas.unregistered import flows_that_name_unregistered
from tracing.web import present
from tracing.web.address import element_id, flow_url
from tracing.web.flows import filters
from tracing.web.flows.first_event import first_event
from tracing.web.menus import Menu, menu
from tracing.web.rows import drawn

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tracing.web.flows.filters import FlowQuery

# Rows of one page.
PAGE = 50


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A flow as one line.

    `away` says that it no longer belongs under the filter, `unknown` that an event of it names a
    version that nobody registered.
    """

    id: str
    url: str
    line: reading.FlowLine
    sign: present.Sign
    note: str
    away: bool = False
    unknown: bool = False


class Total(msgspec.Struct, frozen=True):
    """How many flows stand in a state, as a link that filters by it or takes the filter off."""

    sign: present.Sign
    count: str
    url: str
    current: bool


def rows(
    lines: Sequence[reading.FlowLine],
    *,
    now_ms: int,
    wanted: reading.FlowFilter | None = None,
    unknown: Collection[int] | None = None,
) -> list[Row]:
    """Return lines as rows; with a filter, those outside of it are marked `away`.

    Some queries, unless `unknown` has the flows that name an unregistered version.
    """
    if unknown is None:
        unknown = flows_that_name_unregistered(lines)
    return [_row(line, now_ms, wanted, unknown) for line in lines]


def _row(
    line: reading.FlowLine,
    now_ms: int,
    wanted: reading.FlowFilter | None,
    unknown: Collection[int],
) -> Row:
    return Row(
        id=element_id("flow", line.correlation_id),
        url=flow_url(line.correlation_id),
        line=line,
        sign=present.STATES[present.display_state(line.state, last_ms=line.last_ms, now_ms=now_ms)],
        note=present.reason_words(line.reason or ""),
        away=wanted is not None and not reading.line_matches(line, wanted, now_ms),
        unknown=line.id in unknown,
    )


def page(asked: FlowQuery, *, cursor: str | None, now_ms: int) -> dict[str, Any]:
    """Return what `_flow_list.html` shows: one page of rows, totals, and where to go on.

    Raises BadCursorError.
    """
    found = reading.list_flows(asked.filter(now_ms), cursor=cursor, limit=PAGE, now_ms=now_ms)
    return {
        "asked": asked,
        "rows": draw(found.lines, now_ms=now_ms),
        "page": found,
        "older": asked.url(cursor=found.next or ""),
        "newest": asked.url(),
        "bounded": found.next is not None and len(found.lines) < PAGE,
        "live": cursor is None,
        "now_ms": now_ms,
        "totals": totals(asked, now_ms=now_ms),
        "first_event": first_event,
        "nothing_stored": not asked.given and cursor is None,
    }


def totals(asked: FlowQuery, *, now_ms: int) -> list[Total]:
    """Return the totals of all display states. Two queries."""
    counted = reading.flow_totals(now_ms)
    found = []
    for slug, sign in present.STATES.items():
        count, exact = counted[slug]
        current = asked.given.get("state") == slug
        # Where every record has an envelope, its lack is no news.
        if slug == "plain" and not count and not current:
            continue
        words = f"{count:,}" if exact else f"{count:,}+"
        found.append(Total(sign, words, asked.url(state="" if current else slug), current))
    return found


def menus(asked: FlowQuery) -> list[Menu]:
    """Return the filters' menus. One query for each list of names."""
    types, services, _topics = reading.known_names()
    url, given = asked.url, asked.given
    marks = {slug: LABELS[mark] for slug, mark in BY_SLUG.items()}
    return [
        menu(url, given, "type", {name: name for name in types}, free=True),
        menu(url, given, "service", {name: name for name in services if name}, free=True),
        menu(url, given, "mark", marks),
        menu(url, given, "since", filters.AGES, title="Time"),
    ]


def draw(
    lines: Sequence[reading.FlowLine],
    *,
    now_ms: int,
    wanted: reading.FlowFilter | None = None,
    unknown: Collection[int] | None = None,
) -> list[SafeString]:
    """Return each line as an HTML row, in the order given; those outside of a filter are `away`."""
    lined = rows(lines, now_ms=now_ms, wanted=wanted, unknown=unknown)
    return drawn("flow_row.jinja", ({"row": row, "now_ms": now_ms} for row in lined))


def frame(every: SafeString, totals: SafeString, *, whole: bool = False) -> str:
    """Return fragments for the socket: these rows into `#flow-updates`, and the totals.

    `flows.js` takes the rows from there: it replaces those on screen in place, and puts new ones
    at the top or counts them; a row that is `away` is only ever replaced. With `whole` the rows
    are the list's first page: others on screen go.
    """
    context = {"drawn": every, "totals": totals, "whole": whole}
    return render_to_string("tracing/partials/_flow_updates.html", context)


def state(asked: FlowQuery, *, now_ms: int) -> str:
    """Return fragments for the socket: the list's first page."""
    wanted = asked.filter(now_ms)
    found = reading.list_flows(wanted, cursor=None, limit=PAGE, now_ms=now_ms)
    every = SafeString("".join(draw(found.lines, now_ms=now_ms, wanted=wanted)))
    return frame(every, totals_fragment(asked, now_ms=now_ms), whole=True)


def totals_fragment(asked: FlowQuery, *, now_ms: int) -> SafeString:
    """Return the totals alone, for the socket: flows grow quiet by themselves."""
    return render_to_string(
        "tracing/partials/_flow_totals.html",
        {"totals": totals(asked, now_ms=now_ms), "oob": True},
    )
