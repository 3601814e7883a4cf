"""Did it work? What came behind a record that was sent again: its effects, or its next failure.

Driven by what is new in the log, so a run of any size costs as much as there is news.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Min, Q
from django.utils import timezone

from tracing.domain.text import hash64
from tracing.models import DeadLetter, Ingestor, Partition, RetriedRecord, RetryItem
from tracing.models.source import coordinates_of
from tracing.projections import events
from tracing.projections.names import names
from tracing.projections.reading import head
from tracing.retry import runs
from tracing.retry.effects import effects_of
from tracing.retry.letters import tally
from tracing.retry.news import first_seen
from tracing.retry.special import is_special

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

# So many new events are looked at in one go.
LOOKED = 2_000
# A process that died has nothing on its way any more after this.
DOUBT = dt.timedelta(seconds=10)
# A doubt that nothing settles, because the ingest stands, is called unconfirmed.
GIVE_UP = dt.timedelta(seconds=600)
FRESH = dt.timedelta(seconds=5)
_SLICE = 400
_COLUMNS = ("id", "run_id", "group_id", "record", "event_id", "event_hash", "sent_position")
_WATCHED = ("sending", "sent", "unconfirmed")
# A new event: its position, its record, its cause and its flow.
News = tuple[int, int, str | None, int]


class Follower:
    """Looks at what is new since it looked last, and settles the items that it concerns."""

    def __init__(self) -> None:
        """Begin at the oldest item that still waits."""
        self._position: int | None = None

    def look(self) -> bool:
        """Settle what can be settled; return whether there is more to look at."""
        if not waiting():
            self._position = None
            return False
        if self._position is None:
            oldest = RetryItem.objects.filter(state__in=("sending", "sent"))
            self._position = oldest.aggregate(first=Min("sent_position"))["first"] or 0
        more = self._news(self._position)
        runs.refresh(settle_doubts())
        if not more:
            runs.refresh(give_up())
        return more

    def _news(self, after: int) -> bool:
        to = head().position
        rows = [
            (row.position, row.record, row.causation_id, row.flow_id)
            for row in events.behind(after, LOOKED)
            if row.position <= to
        ]
        touched = settle_failures(rows) | settle_effects(rows)
        runs.refresh(touched)
        self._position = rows[-1][0] if len(rows) == LOOKED else to
        return len(rows) == LOOKED


def waiting() -> bool:
    """Tell whether any item waits for what becomes of it: two looks at an index."""
    return RetryItem.objects.filter(state__in=("sending", "sent")).exists()


def settle_effects(rows: Iterable[News]) -> set[UUID]:
    """Settle the items whose effects are among new events.

    An event is an effect of a retry when it names the item's event as its cause, came behind the
    send on an ordinary topic, and is news (`retry.news`); whether it says that the message was
    processed is the rule of `domain.processed`.
    """
    causes: dict[int, list[tuple[int, str, int]]] = {}
    for position, record, cause, flow in rows:
        if cause is not None and not _is_dead(record):
            causes.setdefault(hash64(cause), []).append((position, cause, flow))
    touched: set[UUID] = set()
    for hashes in _slices(list(causes)):
        items = RetryItem.objects.filter(state__in=_WATCHED, event_hash__in=hashes)
        answered = {
            item: flow
            for item in items.only(*_COLUMNS)
            for position, cause, flow in causes[item.event_hash or 0]
            if cause == item.event_id and position > (item.sent_position or 0)
        }
        touched |= settle(_processed(answered), "processed")
    return touched


def _processed(answered: Mapping[RetryItem, int]) -> list[RetryItem]:
    """Return those of the items, given with their answers' flows, whose effects are news."""
    effects = effects_of(_names_of(answered))
    behind = [
        (item, one)
        for item in answered
        for one in effects.get(item.record, ())
        if one.cause == item.event_id and one.position > (item.sent_position or 0)
    ]
    seen = first_seen(one.event_id for _, one in behind)
    done = {item for item, one in behind if seen.get(one.event_id, 0) > (item.sent_position or 0)}
    return [item for item in answered if item in done]


def _names_of(answered: Mapping[RetryItem, int]) -> list[tuple[int, str, int]]:
    """Return (record, event id, flow) of items, and of what they were before an edit."""
    named = [(item.record, item.event_id, flow) for item, flow in answered.items()]
    sent = {(record, event_id) for record, event_id, _ in named}
    rows = events.of_records({record for record, _ in sent})
    before = [(row.record, row.event_id, row.flow_id) for row in rows if row.part == 0]
    return [*named, *(one for one in before if one[:2] not in sent)]


def settle_failures(rows: Iterable[News]) -> set[UUID]:
    """Settle the items that are back in the dead letters: joined to the new one, not counted new.

    A failure says more than an effect that came before it.
    """
    records = [record for _, record, _, _ in rows if _is_dead(record)]
    touched: set[UUID] = set()
    for ids in _slices(records):
        letters = DeadLetter.objects.filter(record__in=ids).exclude(retry_id=None)
        again = dict(letters.values_list("retry_id", "record"))
        items = list(
            RetryItem.objects.filter(
                retry_id__in=again.keys(), state__in=(*_WATCHED, "processed")
            ).only("id", "run_id", "group_id", "retry_id")
        )
        for item in items:
            RetryItem.objects.filter(id=item.id).update(again=again[item.retry_id])
        touched |= settle(items, "failed_again")
    return touched


def _is_dead(record: int) -> bool:
    return is_special(names().place(coordinates_of(record)[0])[0])


def settle(items: Sequence[RetryItem], state: str, error: str = "") -> set[UUID]:
    """Give items their last state; return their runs."""
    now = timezone.now()
    for ids in _slices([item.id for item in items]):
        RetryItem.objects.filter(id__in=ids).update(state=state, settled_at=now, error=error)
        RetryItem.objects.filter(id__in=ids, sent_at=None).update(sent_at=now)
    tally(item.group_id for item in items if item.group_id is not None)
    return {item.run_id for item in items}


def settle_doubts() -> set[UUID]:
    """Settle sends that had no answer: found in our log, sent again, or given up in time."""
    since = timezone.now() - DOUBT
    doubts = list(
        RetryItem.objects.filter(state="sending", sending_at__lt=since).order_by("id")[:_SLICE]
    )
    for item in doubts:
        if item.doubted_at is None:
            item.doubted_at = timezone.now()
            RetryItem.objects.filter(id=item.id, doubted_at=None).update(doubted_at=item.doubted_at)
    found = find(doubts)
    read_on = _topics_read()
    for item in doubts:
        row = RetryItem.objects.filter(id=item.id, state="sending")
        if item.id in found:
            partition, offset = found[item.id]
            row.update(
                state="sent",
                sent_at=timezone.now(),
                sent_partition=partition,
                sent_offset=offset,
                error="no acknowledgement came; our log has it",
            )
        elif item.topic in read_on:
            # Read to its end since, and it is not there: it never arrived.
            row.update(state="pending", error="no acknowledgement came, and our log has it not")
        elif item.sending_at and item.sending_at < timezone.now() - GIVE_UP:
            row.update(
                state="unconfirmed",
                settled_at=timezone.now(),
                error="no acknowledgement came, and the ingest does not read on: "
                "it may have arrived or not",
            )
    return {item.run_id for item in doubts}


def find(items: Sequence[RetryItem]) -> dict[int, tuple[int, int]]:
    """Return (partition, offset) by item of those whose retry id stands in our own log."""
    by_hash = {hash64(item.retry_id): item for item in items}
    found: dict[int, tuple[int, int]] = {}
    rows = RetriedRecord.objects.filter(retry_hash__in=by_hash)
    for retry_hash, record in rows.values_list("retry_hash", "record"):
        item = by_hash[retry_hash]
        partition_id, offset = coordinates_of(record)
        topic, number = names().place(partition_id)
        # A consumer's copy of it, in its dead letters, is not the place where it was sent.
        if topic == item.topic:
            found[item.id] = (number, offset)
    return found


def _topics_read() -> set[str]:
    """Return the topics whose every partition our ingest has read to its end, and is alive."""
    now = timezone.now()
    alive = Ingestor.objects.filter(state="running", seen_at__gte=now - FRESH)
    if not alive.exists() or alive.filter(Q(lag__gt=0)).exists():
        return set()
    behind = Partition.objects.filter(end_offset__isnull=False).values_list(
        "source__topic", "next_offset", "end_offset"
    )
    topics: dict[str, bool] = {}
    for topic, following, end in behind:
        topics[topic] = topics.get(topic, True) and (following or 0) >= (end or 0)
    return {topic for topic, whole in topics.items() if whole}


def give_up() -> set[UUID]:
    """Settle what was sent so long ago that its effects should be there.

    Where the flow went on without naming a cause, that counts; else it is unconfirmed.
    """
    confirm = dt.timedelta(seconds=settings.EVENTVIZ_RETRY_CONFIRM_S)
    late = RetryItem.objects.filter(state="sent", sent_at__lt=timezone.now() - confirm)
    items = list(late.order_by("sent_at")[:_SLICE])
    by_flow = _went_on(items)
    went_on = [item for item in items if item.id in by_flow]
    rest = [item for item in items if item.id not in by_flow]
    words = (
        f"no new effect came within {settings.EVENTVIZ_RETRY_CONFIRM_S} s, and no failure: "
        "services may have skipped an event id that they know"
    )
    return settle(went_on, "processed", "the flow went on") | settle(rest, "unconfirmed", words)


def _went_on(items: Sequence[RetryItem]) -> set[int]:
    """Return the items whose flow has later news that name no cause. A few queries."""
    ids = {item.event_id for item in items if item.event_hash is not None}
    if not ids:
        return set()
    flows = {row.event_id: row.flow_id for row in events.with_ids(ids)}
    since = min(item.sent_position or 0 for item in items)
    rows = events.of_flows(
        set(flows.values()),
        "e.causation_id IS NULL",
        fits=lambda fact: fact.cause is None,
        after=since,
    )
    later = [(row.flow_id, row.event_id) for row in rows if not _is_dead(row.record)]
    seen = first_seen(event_id for _, event_id in later)
    news: dict[int, list[tuple[int, str]]] = {}
    for flow, event_id in later:
        if event_id in seen:
            news.setdefault(flow, []).append((seen[event_id], event_id))
    return {
        item.id
        for item in items
        if any(
            first > (item.sent_position or 0) and event_id != item.event_id
            for first, event_id in news.get(flows.get(item.event_id, -1), ())
        )
    }


def _slices(values: list[int]) -> Iterable[list[int]]:
    for start in range(0, len(values), _SLICE):
        yield values[start : start + _SLICE]
