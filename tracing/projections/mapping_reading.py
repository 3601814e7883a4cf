"""What is read from a topic's last records, by the rules in force or by others that are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.db.models import Max

from tracing.codec import decode
from tracing.codec.candidates import Candidate, suggest
from tracing.codec.formats.content import content
from tracing.codec.leaves import Leaves, leaves
from tracing.domain.errors import DecodeError
from tracing.domain.event import Event
from tracing.models import Partition, Source
from tracing.models.source import OFFSET_BITS
from tracing.projections import record_log, record_rows
from tracing.projections.names import names
from tracing.projections.settings import current_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.codec.rules import Mapping, Rules
    from tracing.domain.record import Record as LogRecord

LAST = 20
# The partitions that were written to last.
MAX_PARTITIONS = 16
FEW_PARTITIONS = 3
MAX_OTHERS = 10
TOPICS_A_PAGE = 25


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """Of how many records which part of the envelope was read."""

    records: int
    ids: int
    types: int
    correlations: int
    causes: int
    errors: int


class ReadRecord(msgspec.Struct, frozen=True):
    """A record's first event; `event_id` is None where the producer gave none."""

    event: Event
    event_id: str | None
    events: int


class TopicShares(msgspec.Struct, frozen=True):
    """A topic with what is read from its last records."""

    topic: str
    shares: Shares


def last_records(topic: str, *, partitions: int = MAX_PARTITIONS) -> list[LogRecord]:
    """Return a topic's last `LAST` records by Kafka's time, the newest first.

    Looks at the partitions that were written to last; costs two queries and one a partition.
    """
    source = Source.objects.filter(topic=topic).order_by("-id").first()
    if source is None:
        return []
    rows: list[record_rows.Row] = []
    recent = Partition.objects.filter(source=source).order_by("-seen_at", "number")
    for partition_id in recent.values_list("id", flat=True)[:partitions]:
        last = ((partition_id + 1) << OFFSET_BITS) - 1
        rows += record_log.between(partition_id << OFFSET_BITS, last, LAST, newest=True)
    rows.sort(key=lambda row: (row.timestamp_ms, row.id), reverse=True)
    return [record_log.record_of(row, names()) for row in rows[:LAST]]


def read_by(records: Sequence[LogRecord], rules: Rules) -> list[ReadRecord]:
    """Decode records by some rules."""
    found = []
    for record in records:
        events = decode(record, rules).events
        event = events[0]
        ours = event.event_id.startswith(record.coordinates)
        found.append(ReadRecord(event, None if ours else event.event_id, len(events)))
    return found


def shares_of(lines: Sequence[ReadRecord]) -> Shares:
    """Count what was read."""
    events = [line.event for line in lines]
    return Shares(
        records=len(lines),
        ids=sum(line.event_id is not None for line in lines),
        types=sum(not event.type.startswith("(") and not event.error for event in events),
        correlations=sum(event.joined_by == "correlation" for event in events),
        causes=sum(event.causation_id is not None for event in events),
        errors=sum(event.error is not None for event in events),
    )


def rules_with(mapping: Mapping) -> Rules:
    """Return the rules in force, with a mapping before them."""
    rules = current_rules()
    return msgspec.structs.replace(rules, mappings=(mapping, *rules.mappings))


def suggestions(topic: str, records: Sequence[LogRecord]) -> dict[str, tuple[Candidate, ...]]:
    """Return what probably carries each field, also by what other topics hold."""
    others = [name for name in topic_names("", MAX_OTHERS + 1) if name != topic][:MAX_OTHERS]
    beside = [
        held for name in others for held in _leaves(last_records(name, partitions=FEW_PARTITIONS))
    ]
    return suggest(_leaves(records), beside)


def _leaves(records: Sequence[LogRecord]) -> list[Leaves]:
    schema_of = current_rules().schema_of
    found = []
    for record in records:
        try:
            value = None if record.truncated else content(record, schema_of).value
        except DecodeError:
            value = None
        found.append(leaves(value, record.headers))
    return found


def topic_names(after: str, limit: int) -> list[str]:
    """Return topic names behind one, in order."""
    rows = Source.objects.filter(topic__gt=after).values("topic").annotate(newest=Max("id"))
    return [row["topic"] for row in rows.order_by("topic")[:limit]]


def topic_shares(after: str = "") -> tuple[list[TopicShares], str]:
    """Return a page of topics with what is read from each, and where the next page goes on."""
    named = topic_names(after, TOPICS_A_PAGE + 1)
    page = named[:TOPICS_A_PAGE]
    rules = current_rules()
    found = [
        TopicShares(name, shares_of(read_by(last_records(name, partitions=FEW_PARTITIONS), rules)))
        for name in page
    ]
    return found, page[-1] if len(named) > TOPICS_A_PAGE else ""
