"""Dead letters in words and signs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from tracing.domain.failure import short_name
from tracing.projections.dead_letter_reading import GroupFilter, GroupLine
from tracing.web import query
from tracing.web.present import Sign, signs

if TYPE_CHECKING:
    from collections.abc import Sequence

PATH = "/dead-letters/"
SIGNS = signs(
    Sign("new", "✕", "new", "fail", "nobody has said anything about it yet"),
    Sign("regressed", "↻", "regressed", "fail", "it came back after it was resolved"),
    Sign("acknowledged", "◐", "acknowledged", "run", "somebody is at it"),
    Sign("resolved", "●", "resolved", "ok", "done; one more dead letter makes it regress"),
    Sign("ignored", "○", "ignored", "ghost", "is not counted, whatever comes"),
)
AGAIN = Sign("failed_again", "↻", "failed again", "fail", "it was retried and died once more")
OPEN = Sign("open", "✕", "open", "fail", "nobody has dealt with it")
ASIDE = Sign("aside", "○", "put aside", "ghost", "somebody said why; it can be restored")


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """A group as one line; `bars` are its last 24 hours as a path in 120 by 18."""

    line: GroupLine
    url: str
    retry_url: str
    title: str
    consumer: str
    sign: Sign
    note: str
    bars: str
    loud: bool


def group_row(line: GroupLine) -> GroupRow:
    """Return a group with its words."""
    sign = _sign(line)
    return GroupRow(
        line=line,
        url=f"{PATH}{line.key}",
        retry_url=f"/retries/new?group={line.key}",
        title=title_of(line),
        consumer=line.consumer or "not said",
        sign=sign,
        note=_note(line, sign),
        bars=bars(line.hours),
        loud=line.open > 0,
    )


def title_of(line: GroupLine) -> str:
    """Return a group's name: the exception without its package."""
    return short_name(line.exception) or "No failure named"


def _sign(line: GroupLine) -> Sign:
    if line.retried and not line.open and line.state in {"new", "acknowledged"}:
        return SIGNS["resolved"]
    if line.state == "new" and line.failed_again and line.open:
        return AGAIN
    return SIGNS[line.state]


def _note(line: GroupLine, sign: Sign) -> str:
    if line.retried and not line.open:
        return f"recovered {line.recovered:,} of {line.count:,}"
    return f"{sign.word} · {line.owner}" if line.owner else sign.word


def bars(hours: Sequence[int]) -> str:
    """Return hours as one path in a drawing of 120 by 18, the newest at the right.

    One path a row: a page of groups would else hold a thousand rectangles.
    """
    highest = max([*hours, 1])
    return "".join(
        f"M{5 * place} 18v-{max(round(17 * count / highest), 2 if count else 1)}h4V18z"
        for place, count in enumerate(hours)
    )


def filter_url(wanted: GroupFilter, **changes: str) -> str:
    """Return the inbox with some filters changed; '' takes one off."""
    return query.address(PATH, {**msgspec.structs.asdict(wanted), **changes})


def retry_all_url(wanted: GroupFilter) -> str:
    """Return the plan of a retry of everything that a filter finds."""
    given = {name: text for name, text in msgspec.structs.asdict(wanted).items() if text}
    return f"/retries/new?{urlencode({'filter': urlencode(given or {'state': 'open'})})}"
