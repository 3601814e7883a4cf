"""The live tail as it is shown; the page and the socket use the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from tracing.projections import reading
from tracing.schemas.unregistered import named, unregistered
from tracing.web import present
from tracing.web.address import flow_url
from tracing.web.menus import Menu, menu
from tracing.web.rows import drawn

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tracing.schemas.unregistered import Named
    from tracing.web.tail.filters import TailQuery


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An event as one line. `unknown` says that nobody registered the version that it names."""

    url: str
    stored: reading.StoredEvent
    tone: str
    unknown: bool


def rows(
    stored: Sequence[reading.StoredEvent], unknown: Collection[Named] | None = None
) -> list[Row]:
    """Return events as rows, in the order given.

    A query or two, unless `unknown` has the versions that nobody registered.
    """
    if unknown is None:
        unknown = unregistered(item.event for item in stored)
    return [
        Row(
            url=flow_url(item.event.correlation_id, item.event.event_id),
            stored=item,
            tone="fail" if item.event.error else present.tone_of(item.role),
            unknown=named(item.event) in unknown,
        )
        for item in stored
    ]


def updates(
    stored: Sequence[reading.StoredEvent],
    asked: TailQuery,
    *,
    missed: int = 0,
    whole: bool = False,
) -> str:
    """Return fragments for the socket: these events, newest first, into `#tail-updates`.

    `tail.js` puts them above the rows that are there; with `whole` they replace all rows.
    `missed` counts events that matched too, are older than these and were left out of the frame;
    they become a line with a link to the page that has them.
    """
    before = min((item.position for item in stored), default=0)
    every = SafeString("".join(draw(stored)))
    return frame(every, asked, before=before, missed=missed, whole=whole)


def draw(
    stored: Sequence[reading.StoredEvent], unknown: Collection[Named] | None = None
) -> list[SafeString]:
    """Return each event as an HTML row, in the order given."""
    return drawn("tail_row.jinja", ({"row": row} for row in rows(stored, unknown)))


def frame(
    every: SafeString, asked: TailQuery, *, before: int, missed: int = 0, whole: bool = False
) -> str:
    """Return `updates` of rows that are drawn already; `before` is the oldest one's position."""
    return render_to_string(
        "tracing/partials/_tail_updates.html",
        {
            "drawn": every,
            "missed": missed,
            "missed_url": asked.url(before=str(before)),
            "whole": whole,
        },
    )


def menus(asked: TailQuery) -> list[Menu]:
    """Return the filters' menus. One query for each list of names."""
    types, services, topics = reading.known_names()
    url, given = asked.url, asked.given
    return [
        menu(url, given, "type", {name: name for name in types}, free=True),
        menu(url, given, "service", {name: name for name in services if name}, free=True),
        menu(url, given, "topic", {name: name for name in topics}, free=True),
    ]
