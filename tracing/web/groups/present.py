"""The consumer groups as they are shown; the page and the socket use the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from django.template.loader import render_to_string

from tracing.projections import group_reading as reading
from tracing.web.address import element_id, encode_id
from tracing.web.context import now_ms
from tracing.web.present import Sign, signs
from tracing.web.topics.words import Notice, numbers, topic_url

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_NOTICES = 8
# A page shows the partitions that are furthest behind; a group may have thousands.
MAX_OFFSETS = 300

SIGNS = signs(
    Sign("stable", "●", "stable", "ok", "every member has its partitions"),
    Sign("rebalancing", "◐", "rebalancing", "run", "the group shares its partitions anew"),
    Sign("grows", "!", "falls behind", "late", "its lag has grown for half a minute"),
    Sign("empty", "○", "no members", "ghost", "nobody reads; what was committed remains"),
    Sign("gone", "✕", "not seen", "fail", "the last snapshots did not have it"),
    Sign("error", "✕", "not described", "fail", "the cluster refused to describe it"),
)


class GroupRow(msgspec.Struct, frozen=True):
    """A group as one line; `bars` are its last lags as (x, y, height) in a 60 by 16 drawing."""

    id: str
    url: str
    line: reading.GroupLine
    sign: Sign
    bars: list[tuple[int, int, int]]
    seen_ms: int


class MemberRow(msgspec.Struct, frozen=True):
    """A member with what it holds as (topic, address, numbers in words)."""

    line: reading.MemberLine
    held: list[tuple[str, str, str]]


def overview() -> dict[str, Any]:
    """Return what `_groups.html` shows. One query."""
    rows = [_row(line) for line in reading.read_groups(datetime.now(UTC))]
    said = [notice for row in rows for notice in _notices(row)]
    return {
        "rows": rows,
        "warnings": said[:MAX_NOTICES],
        "more_warnings": max(len(said) - MAX_NOTICES, 0),
        "now_ms": now_ms(),
    }


def detail(name: str) -> dict[str, Any] | None:
    """Return what `_group.html` shows, None for a group that is not known. One query."""
    line = reading.read_group(name, datetime.now(UTC))
    if line is None:
        return None
    row = _row(line)
    offsets = sorted(line.offsets, key=lambda one: (-one.lag, one.topic, one.number))
    return {
        "row": row,
        "members": [_member(member) for member in line.members],
        "offsets": [(one, topic_url(one.topic)) for one in offsets[:MAX_OFFSETS]],
        "more_offsets": max(len(offsets) - MAX_OFFSETS, 0),
        "warnings": _notices(row),
        "more_warnings": 0,
        "now_ms": now_ms(),
    }


def overview_fragment() -> str:
    """Return the live part of /groups/ for the socket."""
    return render_to_string("tracing/partials/_groups.html", {**overview(), "oob": True})


def detail_fragment(name: str) -> str:
    """Return the live part of /groups/<name> for the socket."""
    context = detail(name)
    if context is None:
        return ""
    return render_to_string("tracing/partials/_group.html", {**context, "oob": True})


def sign_of(line: reading.GroupLine) -> Sign:
    """Return the sign of a group."""
    if line.gone:
        return SIGNS["gone"]
    if line.error:
        return SIGNS["error"]
    if "rebalanc" in line.state.lower() or "assigning" in line.state.lower():
        return SIGNS["rebalancing"]
    if line.grows:
        return SIGNS["grows"]
    return SIGNS["stable" if line.members else "empty"]


def bars(lags: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return the lags as bars in a drawing of 72 by 16, the newest at the right."""
    last = list(lags)[-18:]
    highest = max([*last, 1])
    return [
        (4 * place, 16 - height, height)
        for place, lag in enumerate(last, start=18 - len(last))
        if (height := max(round(15 * lag / highest), 1))
    ]


def _row(line: reading.GroupLine) -> GroupRow:
    return GroupRow(
        element_id("group", line.name),
        f"/groups/{encode_id(line.name)}",
        line,
        sign_of(line),
        bars(line.lags),
        int(line.looked_at.timestamp() * 1_000),
    )


def _member(line: reading.MemberLine) -> MemberRow:
    held = [
        (topic, topic_url(topic), numbers(parts))
        for topic, parts in (line.partitions or {}).items()
    ]
    return MemberRow(line, held[:50])


def _notices(row: GroupRow) -> list[Notice]:
    line, found = row.line, []
    if line.grows and not line.gone:
        words = f"{line.name} falls behind: {line.lag:,} records wait, and more come than it reads"
        found.append(Notice("late", "!", words, row.url))
    if not line.members and line.lag and not line.gone and not line.error:
        words = f"{line.name} has no members, and {line.lag:,} records wait for it"
        found.append(Notice("fail", "✕", words, row.url))
    if line.idle:
        count = f"{line.idle} of {len(line.members)} members"
        words = f"{line.name}: {count} have no partition to read"
        found.append(Notice("back", "!", words, row.url))
    if line.error:
        found.append(Notice("fail", "✕", f"{line.name}: {line.error}", row.url))
    return found
