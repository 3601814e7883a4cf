"""What is known of records that somebody wants to send again, and what becomes of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.conf import settings

from tracing.domain.record import Record
from tracing.domain.text import hash64
from tracing.models import Partition, RetryItem, Source
from tracing.models.source import coordinates_of
from tracing.projections import event_rows, events, record_log, record_rows
from tracing.projections.names import names
from tracing.retry.letters import discarded, letters_of
from tracing.retry.outgoing import retry_id_of, why_not
from tracing.retry.special import is_special
from tracing.retry.targets import Target, Targets, target_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

ASIDE = "somebody put it aside: restore it first"
# Statements name so many ids at once.
CHUNK = 500
# Of these a message is on its way, or came through: sending it again would double it.
_IN_HAND = {
    "pending": "it is waiting in another run",
    "sending": "it is being sent by another run",
    "sent": "it was sent by another run and is followed",
}


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A stored record without its value. `retry_id` is the one that it carries itself."""

    record: int
    topic: str
    partition: int
    offset: int
    event_id: str = ""
    event_hash: int | None = None
    event_type: str = ""
    flow: int | None = None
    retry_id: str | None = None
    missing: str = ""
    group_id: int | None = None
    source: tuple[str, int | None] | None = None

    @property
    def coordinates(self) -> str:
        """Return `topic[partition]@offset`."""
        return f"{self.topic}[{self.partition}]@{self.offset}"


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of a candidate: sent to `target`, or left out for the reason `skipped`.

    `loops` tells that the loop guard is the reason, `missing` that our log has not the whole.
    """

    candidate: Candidate
    target: Target
    attempt: int
    group_id: int | None
    skipped: str = ""
    loops: bool = False
    missing: bool = False


def candidates(record_ids: Sequence[int]) -> list[Candidate]:
    """Return what is known of records, in their order. A few queries a `CHUNK`, no large values."""
    found: list[Candidate] = []
    for start in range(0, len(record_ids), CHUNK):
        found += _chunk(record_ids[start : start + CHUNK])
    return found


def _chunk(ids: Sequence[int]) -> list[Candidate]:
    rows = record_log.by_id(ids, values=False)
    known = {event.record: event for event in events.of_records(ids) if event.part == 0}
    names().pairs(event.node_id for event in known.values())
    found = [_candidate(record, rows.get(record), known.get(record)) for record in ids]
    letters = letters_of(ids, {one.record: one.topic for one in found})
    aside = discarded(letters)
    return [
        msgspec.structs.replace(
            one,
            group_id=letter.group_id,
            source=letter.source,
            missing=one.missing or (ASIDE if one.record in aside else ""),
        )
        if (letter := letters.get(one.record))
        else one
        for one in found
    ]


def _candidate(record: int, row: record_rows.Row | None, event: event_rows.Row | None) -> Candidate:
    topic, partition, offset = _place(record)
    if row is None:
        missing = "it is not stored, or not any more"
        return Candidate(
            record=record, topic=topic, partition=partition, offset=offset, missing=missing
        )
    bare = Record(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp_ms=0,
        headers=record_rows.headers_of(row.headers),
        value_length=row.value_length,
        value_sha256=row.value_sha256,
        error=row.error,
    )
    return Candidate(
        record=record,
        topic=topic,
        partition=partition,
        offset=offset,
        event_id=event.event_id if event else "",
        event_hash=hash64(event.event_id) if event else None,
        event_type=names().pair(event.node_id)[0] if event else "",
        flow=event.flow_id if event else None,
        retry_id=retry_id_of(bare),
        missing=why_not(bare),
    )


def _place(record: int) -> tuple[str, int, int]:
    partition_id, offset = coordinates_of(record)
    try:
        return (*names().place(partition_id), offset)
    except Partition.DoesNotExist:
        # A number that never was one of ours.
        return "unknown", 0, offset


def place_of(record: int) -> str:
    """Return a record's coordinates, `topic[partition]@offset`."""
    topic, partition, offset = _place(record)
    return f"{topic}[{partition}]@{offset}"


def current_targets() -> Targets:
    """Return the allow-list as it is now. One query of a table with few rows."""
    topics = set(Source.objects.values_list("topic", flat=True).distinct()[:20_000])
    return Targets(topics, settings.EVENTVIZ_RETRY_TARGETS, is_special)


class Judge:
    """Says what becomes of candidates of one run; remembers topics' partitions."""

    def __init__(self, *, kind: str, wanted: str) -> None:
        """Judge for a run of this kind; `wanted` is the topic that a person chose, or ''."""
        self._kind = kind
        self._wanted = wanted
        self._targets = current_targets()
        self._partitions: dict[str, Collection[int]] = {}

    def verdicts(self, found: Sequence[Candidate]) -> list[Verdict]:
        """Return a verdict for each. Two queries a `CHUNK`, and one a topic."""
        verdicts: list[Verdict] = []
        for start in range(0, len(found), CHUNK):
            part = found[start : start + CHUNK]
            before = _latest(part)
            verdicts += [self._verdict(one, before) for one in part]
        return verdicts

    def _verdict(self, one: Candidate, before: dict[int | str, RetryItem]) -> Verdict:
        last = before.get(one.record)
        parent = before.get(one.retry_id) if one.retry_id else None
        attempt = 1 + max((item.attempt for item in (last, parent) if item), default=0)
        group_id = parent.group_id if parent and parent.group_id is not None else one.group_id
        target = target_of(
            self._targets,
            stored_in=one.topic,
            partition=one.partition,
            source=one.source if self._kind == "retry" else None,
            wanted=self._wanted,
            partitions=self._of,
        )
        skipped = one.missing or target.refused or self._in_hand(last)
        loops = not skipped and attempt > settings.EVENTVIZ_RETRY_LIMIT
        if loops:
            limit = settings.EVENTVIZ_RETRY_LIMIT
            skipped = f"it was sent again {limit} times already: EVENTVIZ_RETRY_LIMIT"
        elif not skipped and self._kind == "replay" and one.retry_id:
            skipped = "it is a copy that a retry made: its original is replayed"
        return Verdict(
            one,
            target,
            attempt,
            group_id,
            skipped,
            loops=loops,
            missing=one.missing not in ("", ASIDE),
        )

    def _in_hand(self, last: RetryItem | None) -> str:
        if last is None:
            return ""
        if last.state in _IN_HAND:
            return _IN_HAND[last.state]
        if self._kind == "replay":
            return ""
        if last.state == "processed":
            return "it recovered by an earlier retry"
        if last.state == "failed_again":
            return "it failed again: its newest dead letter is the one to retry"
        return ""

    def _of(self, topic: str) -> Collection[int]:
        if topic not in self._partitions:
            newest = Source.objects.filter(topic=topic).order_by("-id").first()
            rows = Partition.objects.filter(source=newest) if newest else Partition.objects.none()
            self._partitions[topic] = set(rows.values_list("number", flat=True))
        return self._partitions[topic]


def _latest(found: Sequence[Candidate]) -> dict[int | str, RetryItem]:
    """Return the last item of each record, and the item of each retry id that a record carries."""
    columns = ("id", "record", "retry_id", "attempt", "group_id", "state")
    latest: dict[int | str, RetryItem] = {}
    by_record = RetryItem.objects.filter(record__in=[one.record for one in found])
    sent = by_record.exclude(state__in=("skipped", "cancelled"))
    for item in sent.only(*columns).order_by("id"):
        latest[item.record] = item
    ids = [one.retry_id for one in found if one.retry_id]
    for item in RetryItem.objects.filter(retry_id__in=ids).only(*columns):
        latest[item.retry_id] = item
    return latest
