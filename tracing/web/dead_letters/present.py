"""The dead letters as they are shown; page, partial and socket use the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.template.loader import render_to_string

from tracing.domain.failure import group_of
from tracing.projections import dead_letter_reading as reading
from tracing.projections import dead_message_reading as messages
from tracing.web.address import flow_url
from tracing.web.context import now_ms
from tracing.web.dead_letters.words import (
    PATH,
    SIGNS,
    GroupRow,
    filter_url,
    group_row,
    retry_all_url,
)
from tracing.web.flows.filters import Active
from tracing.web.menus import Menu, menu

if TYPE_CHECKING:
    from tracing.projections.dead_letter_reading import GroupFilter, GroupLine

PAGE = 50
# The names that are offered in a menu: those of the newest groups.
MAX_CHOICES = 30
# In a group that somebody closed nothing is left to send.
CLOSED = frozenset(reading.STATES) - reading.OPEN - {"open"}
TITLES = {"q": "Text", "type": "Event type"}


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One dead letter as a line."""

    line: messages.DeadLine
    url: str


class WaitingRow(msgspec.Struct, frozen=True, kw_only=True):
    """What waits as a line; `url` is the event in its flow."""

    line: messages.WaitingLine
    url: str


def inbox(wanted: GroupFilter, cursor: str = "") -> dict[str, Any]:
    """Return what `_dead_letters.html` shows. Some ten queries by index."""
    at_ms = now_ms()
    page = reading.list_groups(wanted, cursor=cursor or None, limit=PAGE, now_ms=at_ms)
    rows = [group_row(line) for line in page.lines]
    more = filter_url(wanted, cursor=page.next) if page.next else ""
    shown_open = sum(row.line.open for row in rows)
    sendable = shown_open or (page.next and wanted.state not in CLOSED)
    return {
        "rows": rows,
        "totals": reading.totals(),
        "page": page,
        "shown_open": shown_open,
        "more": more,
        "filtered": wanted != reading.GroupFilter(),
        "now_ms": at_ms,
        "retry_all": retry_all_url(wanted) if rows and sendable else "",
    }


def menus(wanted: GroupFilter, rows: list[GroupRow]) -> list[Menu]:
    """Return the filters' menus; names are those of the groups that are shown."""

    def url(**changes: str) -> str:
        return filter_url(wanted, **changes)

    given = msgspec.structs.asdict(wanted)
    states = {name: name for name in reading.STATES}

    def names(field: str) -> dict[str, str]:
        found = dict.fromkeys(getattr(row.line, field) for row in rows)
        return {name: name for name in list(found)[:MAX_CHOICES] if name}

    return [
        menu(url, given, "state", states),
        menu(url, given, "topic", names("source_topic"), free=True),
        menu(url, given, "consumer", names("consumer"), free=True),
        menu(url, given, "type", names("event_type"), title=TITLES["type"], free=True),
    ]


def active(wanted: GroupFilter) -> list[Active]:
    """Return the filters that are on."""
    return [
        Active(TITLES.get(name, name.capitalize()), text, filter_url(wanted, **{name: ""}))
        for name, text in msgspec.structs.asdict(wanted).items()
        if text
    ]


def inbox_fragment(wanted: GroupFilter) -> str:
    """Return the live part of the inbox for the socket."""
    return render_to_string("tracing/partials/_dead_letters.html", {**inbox(wanted), "oob": True})


def group(key: str, before: str = "") -> dict[str, Any] | None:
    """Return what `_dead_letter_group.html` shows, None for a group that is not there."""
    line = line_of(key)
    if line is None:
        return None
    found = messages.list_messages(line.id, before=_place(before), limit=PAGE + 1)
    rows = [MessageRow(line=one, url=f"{PATH}{key}/{one.record}") for one in found[:PAGE]]
    more = ""
    if len(found) > PAGE:
        last = found[PAGE - 1]
        more = f"{PATH}{key}?before={last.timestamp_ms}-{last.record}"
    return {
        "row": group_row(line),
        "messages": rows,
        "more": more,
        "before": before,
        "signs": SIGNS,
        "now_ms": now_ms(),
    }


def line_of(key: str) -> GroupLine | None:
    """Return the group of a key, None when there is none."""
    group_id = group_of(key)
    return None if group_id is None else reading.read_group(group_id, now_ms=now_ms())


def group_fragment(key: str) -> str:
    """Return the live part of a group's page for the socket."""
    context = group(key)
    if context is None:
        return ""
    return render_to_string("tracing/partials/_dead_letter_group.html", {**context, "oob": True})


def waiting() -> dict[str, Any]:
    """Return what `_in_retry.html` shows."""
    lines, whole = messages.list_waiting(PAGE * 2)
    flows = messages.correlations(line.flow for line in lines)
    rows = [
        WaitingRow(line=line, url=flow_url(flows.get(line.flow, ""), line.event_id))
        for line in lines
    ]
    return {"rows": rows, "whole": whole, "tested": messages.MAX_TESTED, "now_ms": now_ms()}


def waiting_fragment() -> str:
    """Return the live part of "In retry" for the socket."""
    return render_to_string("tracing/partials/_in_retry.html", {**waiting(), "oob": True})


def _place(before: str) -> tuple[int, int] | None:
    at_ms, _, record = before.partition("-")
    if not (at_ms.isdigit() and record.isdigit() and len(before) < 40):
        return None
    return int(at_ms), int(record)
