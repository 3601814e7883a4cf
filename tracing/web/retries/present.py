"""What the pages of retries show; the page and the socket use the same."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import msgspec
from django.template.loader import render_to_string

from tracing.domain.failure import group_key, short_name
from tracing.models import DeadLetter, DeadLetterGroup, Discard, RetryItem, RetryRun
from tracing.projections import events
from tracing.retry import audit
from tracing.retry.candidates import current_targets, place_of
from tracing.retry.plan import Plan, plan
from tracing.retry.runs import counters, url_of
from tracing.web.context import now_ms
from tracing.web.flow.fit import misfits
from tracing.web.present import iso
from tracing.web.query import address
from tracing.web.retries.rows import ms_of, row_of
from tracing.web.retries.words import ITEMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracing.web.present import Sign
    from tracing.web.retries.form import Given

MAX_RUNS = 100
MAX_ITEMS = 100
SHOWN = 50
# So many messages of a plan are checked against their schemas: their values are read for it.
CHECKED = 100


class ItemRow(msgspec.Struct, frozen=True):
    """A message of a run: where it stood, where it went, what became of it."""

    item: RetryItem
    sign: Sign
    came_from: str
    went_to: str
    words: str
    url: str
    sent_ms: int | None
    again_url: str


def planned(given: Given) -> dict[str, Any]:
    """Return what `retry_new.html` shows. A bounded number of queries."""
    found = plan(given.selection, kind=given.kind, target=given.target)
    unfit, checked = _misfits(found)
    return {
        "misfits": unfit,
        "checked": checked,
        "given": given,
        "plan": found,
        "what": given.selection.words,
        "targets": current_targets().names(),
        "shown": [
            (one, one.candidate.record in found.processed, unfit.get(one.candidate.record, ""))
            for one in _telling(found, unfit)
        ],
        "rest": max(found.looked - SHOWN, 0),
        "duration": _lasting(found, given),
        "token": uuid.uuid4().hex,
        "fields": given.fields,
        "times": _times(given),
        "instead": _instead(given),
        "may_discard": given.kind == "retry" and given.selection.kind == "records",
        "here": "retries",
    }


def _misfits(found: Plan) -> tuple[dict[int, str], int]:
    """Return what breaks its schema of the first records that go out, and how many those are."""
    going = [one for one in found.verdicts if not one.skipped][:CHECKED]
    topics = {one.candidate.record: one.target.topic for one in going}
    return misfits(topics, topics), len(going)


def _times(given: Given) -> dict[str, str] | None:
    """Return the bounds of a topic's plan as they were written, None for another plan."""
    if given.selection.kind != "topic":
        return None
    said = dict(given.fields)
    return {"from": said.get("from", ""), "until": said.get("until", "")}


def _instead(given: Given) -> list[tuple[str, str]]:
    """Return (words, address) of plans that hold the one record that is replayed.

    A few queries by key.
    """
    if given.kind != "replay" or len(given.selection.records) != 1:
        return []
    rows = events.of_records(given.selection.records)
    row = next((row for row in rows if row.part == 0), None)
    if row is None:
        return []
    topic = place_of(row.record).rpartition("[")[0]
    ways = [
        ("its flow", {"flow": row.flow__correlation_id}),
        (f"everything with the key {row.key}", {"key": row.key or ""}),
        (f"{topic} from then on", {"topic": topic, "from": iso(row.timestamp_ms)}),
    ]
    return [
        (words, address("/retries/new", {"kind": "replay", **fields}))
        for words, fields in ways
        if all(fields.values())
    ]


def _telling(found: Plan, misfits: dict[int, str]) -> list[Any]:
    """Return the first verdicts, those that need a look before the others."""
    order = sorted(
        found.verdicts,
        key=lambda one: (
            not one.skipped,
            one.candidate.record not in misfits,
            one.candidate.record not in found.processed,
        ),
    )
    return order[:SHOWN]


def _lasting(found: Plan, given: Given) -> str:
    """Return how long the sending takes, in words; '' where that is not known."""
    if given.errors or not found.sendable or found.more:
        return ""
    seconds = found.sendable / given.rate_per_s
    return "in a few seconds" if seconds < 10 else f"in about {_rounded(seconds)}"


def _rounded(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def overview() -> dict[str, Any]:
    """Return what /retries/ shows. One query."""
    rows = RetryRun.objects.order_by("-asked_at")[:MAX_RUNS]
    return {"rows": [row_of(run) for run in rows], "now_ms": now_ms(), "here": "retries"}


def detail(run_id: uuid.UUID, state: str, after: int) -> dict[str, Any] | None:
    """Return what a run's page shows, None for a run that does not exist. Three queries."""
    run = RetryRun.objects.filter(id=run_id).first()
    if run is None:
        return None
    items = RetryItem.objects.filter(run=run, n__gt=after).order_by("n")
    if state in ITEMS:
        items = items.filter(state=state)
    # A value may be large: only the page that shows a difference needs one.
    rows = list(items.defer("edited")[: MAX_ITEMS + 1])
    letters = DeadLetter.objects.filter(record__in=[item.again for item in rows if item.again])
    groups = dict(letters.values_list("record", "group_id"))
    url = url_of(run)
    count = counters(run)
    return {
        "row": row_of(run),
        "back": _back(run) if run.failed_again else [],
        "count": count,
        "waiting": max(count["planned"] - count["sent"] - count["skipped"], 0),
        "following": max(
            count["sent"] - count["processed"] - count["failed_again"] - count["unconfirmed"], 0
        ),
        "items": [item_row(item, groups) for item in rows[:MAX_ITEMS]],
        "next": address(url, {"state": state, "after": str(rows[MAX_ITEMS - 1].n)})
        if len(rows) > MAX_ITEMS
        else "",
        "state": state,
        "tabs": [
            (ITEMS[name], address(url, {"state": name}), count[name])
            for name in ("processed", "failed_again", "unconfirmed", "skipped")
        ],
        "socket_url": address(
            "/live/retry", {"id": str(run.id), "state": state, "behind": str(after or "")}
        ),
        "now_ms": now_ms(),
        "here": "retries",
    }


def _back(run: RetryRun) -> list[tuple[str, str]]:
    """Return (words, address) of the groups that got messages of a run back, some of the first."""
    again = RetryItem.objects.filter(run=run, state="failed_again").order_by("n")
    records = [record for record in again.values_list("again", flat=True)[:MAX_ITEMS] if record]
    letters = DeadLetter.objects.filter(record__in=records)
    of = dict(letters.values_list("record", "group_id"))
    if len(of) == 1:
        ((record, group),) = of.items()
        return [("its new dead letter", f"/dead-letters/{group_key(group)}/{record}")]
    groups = DeadLetterGroup.objects.filter(id__in=set(of.values())).order_by("-last_ms")[:5]
    return [
        (short_name(group.exception) or "dead letters", f"/dead-letters/{group_key(group.id)}")
        for group in groups
    ]


def item_row(item: RetryItem, groups: Mapping[int, int]) -> ItemRow:
    """Return a message as a line; `groups` are those of the dead letters that came again."""
    url = ""
    if item.event_id:
        url = address("/search/", {"q": item.event_id})
    went = f"{item.topic}[{item.sent_partition}]@{item.sent_offset}" if item.sent_at else ""
    group = groups.get(item.again or 0)
    again = "" if group is None else f"/dead-letters/{group_key(group)}/{item.again}"
    words = item.error
    if item.again and not words:
        words = f"back as {place_of(item.again)}"
    return ItemRow(
        item,
        ITEMS[item.state],
        place_of(item.record),
        went if item.sent_offset is not None else item.topic,
        words,
        url,
        ms_of(item.sent_at),
        again,
    )


def retries_of(record: int) -> dict[str, Any]:
    """Return what a dead letter's page shows of its retries, and whether it is put aside."""
    items = list(RetryItem.objects.filter(record=record).defer("edited").order_by("-id")[:20])
    return {
        "retried": [item_row(item, {}) for item in items],
        "discard": Discard.objects.filter(record=record, restored_at=None).first(),
    }


def overview_fragment() -> str:
    """Return the live part of /retries/ for the socket."""
    return render_to_string("tracing/partials/_retries.html", {**overview(), "oob": True})


def detail_fragment(run_id: uuid.UUID, state: str, after: int) -> str:
    """Return the live part of a run's page for the socket."""
    context = detail(run_id, state, after)
    if context is None:
        return ""
    return render_to_string("tracing/partials/_retry_run.html", {**context, "oob": True})


def audit_page(before: int | None, who: str, what: str) -> dict[str, Any]:
    """Return what /audit/ shows. One query."""
    found = audit.entries(before=before, who=who, what=what)
    shown = found[: audit.PAGE]
    following = {"who": who, "what": what, "before": str(shown[-1].id) if shown else ""}
    return {
        "entries": [(entry, ms_of(entry.at) or 0, _outcome(entry.outcome)) for entry in shown],
        "next": address("/audit/", following) if len(found) > audit.PAGE else "",
        "who": who,
        "what": what,
        "here": "audit",
    }


# Numbers that count nothing.
_NAMES = frozenset(["id", "version"])


def _outcome(outcome: dict[str, Any]) -> str:
    parts = [
        f"{value:,} {name.replace('_', ' ')}"
        if isinstance(value, int) and name not in _NAMES
        else f"{name}: {value}"
        for name, value in outcome.items()
        if name != "run" and value not in (0, "", None)
    ]
    return ", ".join(parts)
