"""What the mapping pages show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from tracing.codec.candidates import Candidate, filled
from tracing.models import MappingDecision, RebuildRun
from tracing.projections import decisions
from tracing.projections import mapping_reading as reading
from tracing.projections.settings import current_rules
from tracing.web.address import flow_url
from tracing.web.context import now_ms
from tracing.web.mapping import form
from tracing.web.query import address

if TYPE_CHECKING:
    from collections.abc import Mapping as Values

# Fewer than this are read whole: a mapping is offered.
ENOUGH = 0.8


class Share(msgspec.Struct, frozen=True):
    """A part of the envelope: in how many of the records, in words and as a bar's width."""

    label: str
    words: str
    percent: int
    tone: str


class Field(msgspec.Struct, frozen=True):
    """One field of the form with its candidates."""

    name: str
    label: str
    text: str
    error: str
    candidates: tuple[Candidate, ...]


class Line(msgspec.Struct, frozen=True):
    """One of the last records, and its event's page."""

    read: reading.ReadRecord
    url: str


class Rebuild(msgspec.Struct, frozen=True):
    """The last rebuild in words. `live`: the page asks again until it has ended.

    `percent` is how much of it is done, None when it is not running.
    """

    words: str
    tone: str
    live: bool
    at_ms: int
    percent: int | None = None


def overview(after: str) -> dict[str, Any]:
    """Return what /mapping/ shows."""
    topics, following = reading.topic_shares(after)
    return {
        "topics": [
            (line.topic, address("/mapping/", {"topic": line.topic}), shares(line.shares), line)
            for line in topics
        ],
        "following": address("/mapping/", {"after": following}) if following else "",
        **_decided(),
    }


def detail(topic: str, given: Values[str, str]) -> dict[str, Any] | None:
    """Return what /mapping/?topic= shows, None for a topic without records."""
    records = reading.last_records(topic)
    if not records:
        return None
    now = reading.read_by(records, current_rules())
    suggested = reading.suggestions(topic, records)
    tried = form.parse(given, topic) if "try" in given else _first(topic, now, suggested)
    shown, after = now, None
    if tried.mapping is not None:
        shown = reading.read_by(records, reading.rules_with(tried.mapping))
        after = shares(reading.shares_of(shown))
    return {
        "topic": topic,
        "tried": tried,
        "fields": [
            Field(
                name,
                label,
                tried.texts.get(name, ""),
                tried.errors.get(name, ""),
                suggested[name],
            )
            for name, label in form.LABELS.items()
        ],
        "errors": [
            (form.LABELS.get(name, "Topics"), words) for name, words in tried.errors.items()
        ],
        "lines": [
            Line(line, flow_url(line.event.correlation_id, line.event.event_id)) for line in now
        ]
        if tried.mapping is None
        else [Line(line, "") for line in shown],
        "before": shares(reading.shares_of(now)),
        "after": after,
        "setting": _setting(tried),
        **_decided(),
    }


def _first(
    topic: str,
    now: list[reading.ReadRecord],
    suggested: dict[str, tuple[Candidate, ...]],
) -> form.Tried:
    """Return what the form begins with: the decision in force, or a guess where little is read."""
    for row in decisions.in_force():
        if row.topic == topic:
            return form.check(topic, dict(row.fields), topic)
    counts = reading.shares_of(now)
    whole = min(counts.ids, counts.types, counts.correlations) >= ENOUGH * counts.records
    return form.check(topic, {} if whole else filled(suggested), topic)


def shares(counted: reading.Shares) -> list[Share]:
    """Return the shares as bars with words."""
    parts = (
        ("id", counted.ids),
        ("type", counted.types),
        ("correlation", counted.correlations),
        ("cause", counted.causes),
    )
    if not counted.records:
        # An empty topic is no fault.
        return [Share(label, "\N{EN DASH}", 0, "") for label, _ in parts]
    found = []
    for label, count in parts:
        percent = round(100 * count / counted.records)
        tone = "ok" if percent >= 100 * ENOUGH else "some" if count else "none"
        # A first event has no cause: half of them is a good share, and none may be no fault.
        if label == "cause":
            tone = "ok" if percent >= 40 else "some" if count else ""
        found.append(Share(label, f"{count} of {counted.records}", percent, tone))
    return found


def _setting(tried: form.Tried) -> str:
    """Return the mapping as it would stand in EVENTVIZ_MAPPINGS."""
    if tried.mapping is None:
        return ""
    return json.dumps([{"topic": tried.pattern, **tried.texts}])


def _decided() -> dict[str, Any]:
    rows = decisions.history()
    return {
        "decisions": [(row, _fields(row), int(row.made_at.timestamp() * 1_000)) for row in rows],
        "rebuild": rebuild_state(decisions.last_rebuild()),
        "now_ms": now_ms(),
    }


def _fields(row: MappingDecision) -> str:
    return ", ".join(f"{form.LABELS.get(name, name)} {path}" for name, path in row.fields.items())


def rebuild_state(row: RebuildRun | None) -> Rebuild | None:
    """Return where the last rebuild stands."""
    if row is None:
        return None
    if row.finished_at is not None:
        words, tone = f"Rebuilt from {row.done:,} records", "ok"
        if row.error:
            words, tone = f"The rebuild failed. {row.error}", "fail"
        return Rebuild(words, tone, live=False, at_ms=int(row.finished_at.timestamp() * 1_000))
    if row.started_at is not None:
        # Records that came meanwhile are done too.
        total = max(row.total, row.done, 1)
        words = f"The rebuild runs: {row.done:,} of {total:,} records; pages show the old state"
        at_ms = int(row.started_at.timestamp() * 1_000)
        return Rebuild(words, "run", live=True, at_ms=at_ms, percent=100 * row.done // total)
    words = "A rebuild waits for manage.py work"
    return Rebuild(words, "run", live=True, at_ms=int(row.asked_at.timestamp() * 1_000))
