"""A run as one line with its bar: in the list, on its page, and in the navigation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.models import RetryRun
from tracing.projections.plain_sql import among, select
from tracing.retry import selection
from tracing.retry.runs import OPEN, counters, url_of
from tracing.web.retries.words import ENDS, RUNS

if TYPE_CHECKING:
    from datetime import datetime

    from tracing.web.present import Sign

# So many open runs are shown in the navigation.
MAX_RUNNING = 3
# The bar's parts, from its beginning; what is left is still to be sent.
_BAR = ("processed", "failed_again", "unconfirmed", "skipped")


class Bar(msgspec.Struct, frozen=True):
    """A run's progress as parts of 100: (tone, start, width)."""

    parts: list[tuple[str, float, float]]
    percent: int


class RunRow(msgspec.Struct, frozen=True):
    """A run as one line; `left` tells that something of it is still to be sent."""

    run: RetryRun
    url: str
    sign: Sign
    what: str
    bar: Bar
    asked_ms: int
    open: bool
    left: bool


def row_of(run: RetryRun) -> RunRow:
    """Return a run as a line."""
    words = selection.load(run.selection).words
    what = f"{words} to {run.target}" if run.target else words
    left = run.state in OPEN and (run.cursor is not None or run.sent + run.skipped < run.planned)
    return RunRow(
        run=run,
        url=url_of(run),
        sign=_sign(run, left=left),
        what=what,
        bar=bar(run),
        asked_ms=ms_of(run.asked_at) or 0,
        open=run.finished_at is None,
        left=left,
    )


def _sign(run: RetryRun, *, left: bool) -> Sign:
    """Return how a run stands; one that ended is done only if all that was sent came through."""
    if run.state == "running" and not left:
        return RUNS["following"]
    if run.state != "done":
        return RUNS[run.state]
    if run.failed_again:
        return ENDS["failed_again" if run.failed_again == run.sent else "partly"]
    if run.unconfirmed:
        return ENDS["unconfirmed"]
    return RUNS["done"] if run.sent else ENDS["nothing"]


def bar(run: RetryRun) -> Bar:
    """Return a run's progress."""
    count = counters(run)
    total = max(count["planned"], 1)
    tones = {"processed": "ok", "failed_again": "fail", "unconfirmed": "late", "skipped": "back"}
    parts, start = [], 0.0
    followed = count["sent"] - sum(count[name] for name in _BAR[:3])
    for tone, number in (
        *((tones[name], count[name]) for name in _BAR[:3]),
        ("run", max(followed, 0)),
        ("back", count["skipped"]),
    ):
        width = 100 * number / total
        if number:
            parts.append((tone, round(start, 2), round(width, 2)))
        start += width
    over = count["sent"] + count["skipped"]
    return Bar(parts, min(100 * over // total, 100) if count["planned"] else 0)


def running() -> list[RunRow]:
    """Return the runs that are open, the newest first. One look at an index with few rows."""
    if not select(("1",), "tracing_retryrun", f"{among('state', OPEN)} LIMIT 1", OPEN):
        return []
    rows = RetryRun.objects.filter(state__in=OPEN).order_by("-asked_at")[:MAX_RUNNING]
    return [row_of(run) for run in rows]


def ms_of(at: datetime | None) -> int | None:
    """Return a moment in milliseconds since 1970, None for none."""
    return None if at is None else int(at.timestamp() * 1_000)
