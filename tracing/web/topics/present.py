"""The topics as they are shown; the page and the socket use the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from django.template.loader import render_to_string

from tracing.projections import topic_reading as reading
from tracing.projections import topic_troubles
from tracing.web.address import element_id, flow_url
from tracing.web.context import now_ms
from tracing.web.topics import words

if TYPE_CHECKING:
    from tracing.web.present import Sign


class TopicRow(msgspec.Struct, frozen=True):
    """A topic as one line."""

    id: str
    url: str
    line: reading.TopicLine
    sign: Sign
    retention: str


class PartitionRow(msgspec.Struct, frozen=True):
    """A partition as one line."""

    line: reading.PartitionLine
    sign: Sign


class IngestorRow(msgspec.Struct, frozen=True):
    """An ingestor as one line: what it holds as (topic, address, numbers in words)."""

    line: reading.IngestorLine
    sign: Sign
    held: list[tuple[str, str, str]]
    seen_ms: int


class ReasonRow(msgspec.Struct, frozen=True):
    """A reason with links to the newest records."""

    line: topic_troubles.ReasonLine
    records: list[tuple[str, str]]
    more: int


def overview() -> dict[str, Any]:
    """Return what `_topics.html` shows. Costs eight queries."""
    now = datetime.now(UTC)
    found = reading.read_topics(now)
    said, more = words.warnings(found.lines)
    return {
        "rows": [_row(line) for line in found.lines],
        "more_topics": found.more,
        "ingestors": [_ingestor(line) for line in found.ingestors],
        "warnings": said,
        "more_warnings": more,
        "now_ms": now_ms(),
    }


def detail(name: str) -> dict[str, Any] | None:
    """Return what `_topic.html` shows, None for a topic that was never seen."""
    found = reading.read_topics(datetime.now(UTC), topic=name)
    if not found.lines:
        return None
    line = found.lines[0]
    said, more = words.warnings([line])
    return {
        "row": _row(line),
        "partitions": [PartitionRow(part, words.sign_of(part)) for part in line.partitions],
        "gaps": [
            (gap, int(gap.noticed_at.timestamp() * 1_000)) for gap in topic_troubles.gaps_of(line)
        ],
        "reasons": [_reason(reason) for reason in topic_troubles.reasons_of(line)],
        "earlier": reading.earlier_of(line),
        "warnings": said,
        "more_warnings": more,
        "now_ms": now_ms(),
    }


def overview_fragment() -> str:
    """Return the live part of /topics/ for the socket."""
    return render_to_string("tracing/partials/_topics.html", {**overview(), "oob": True})


def detail_fragment(name: str) -> str:
    """Return the live part of /topics/<name> for the socket."""
    context = detail(name)
    if context is None:
        return ""
    return render_to_string("tracing/partials/_topic.html", {**context, "oob": True})


def _row(line: reading.TopicLine) -> TopicRow:
    return TopicRow(
        element_id("topic", line.name),
        words.topic_url(line.name),
        line,
        words.sign_of(line),
        words.retention(line.facts),
    )


def _ingestor(line: reading.IngestorLine) -> IngestorRow:
    held = [
        (topic, words.topic_url(topic), words.numbers(numbers))
        for topic, numbers in list(line.held.items())[:20]
    ]
    seen_ms = int(line.row.seen_at.timestamp() * 1_000)
    return IngestorRow(line, words.SIGNS[line.state], held, seen_ms)


def _reason(line: topic_troubles.ReasonLine) -> ReasonRow:
    records = [(place, flow_url(place, place)) for place in line.newest]
    return ReasonRow(line, records, line.records - len(records))
