"""The dead letters of one flow: which of its events a consumer gave up, and whether it still is."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.failure import group_key
from tracing.models import DeadLetter, DeadLetterGroup, Discard, RetryCopy
from tracing.projections.events import with_ids
from tracing.projections.plain_sql import select

# A flow with more is a mass grave: the inbox shows them by group.
MAX_DEATHS = 50
_MAX_COPIES = 2_000

if TYPE_CHECKING:
    from collections.abc import Iterator

# An event's id and a consumer.
_Who = tuple[str, str]


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """The newest dead letter of an event by one consumer; `group` is its group's key.

    `open` until a newer copy of the event stands on another topic, or somebody put it aside. What
    other consumers do with the event says nothing of this one.
    """

    event_id: str
    group: str
    record: int
    consumer: str
    exception: str
    message: str
    open: bool


def deaths_of(flow: int) -> tuple[Death, ...]:
    """Return a flow's dead letters, one an event and consumer, the newest first.

    One look-up where none is.
    """
    if not select(("1",), "tracing_deadletter", "flow_id = %s LIMIT 1", (flow,)):
        return ()
    newest: dict[_Who, DeadLetter] = {}
    rows = DeadLetter.objects.filter(flow_id=flow).order_by("-timestamp_ms", "-record")
    dead = list(rows[:MAX_DEATHS])
    groups = DeadLetterGroup.objects.in_bulk({row.group_id for row in dead})
    consumers = {
        row.record: groups[row.group_id].consumer for row in dead if row.group_id in groups
    }
    for row in dead:
        newest.setdefault((row.event_id, consumers.get(row.record, "")), row)
    over = _put_aside(newest) | set(_sent_on(flow, newest, consumers))
    return tuple(
        Death(
            event_id=event_id,
            group=group_key(row.group_id),
            record=row.record,
            consumer=consumer,
            exception=groups[row.group_id].exception if row.group_id in groups else "",
            message=row.message,
            open=(event_id, consumer) not in over,
        )
        for (event_id, consumer), row in newest.items()
    )


def _put_aside(newest: dict[_Who, DeadLetter]) -> set[_Who]:
    records = {row.record: who for who, row in newest.items()}
    aside = Discard.objects.filter(record__in=records, restored_at=None)
    return {records[record] for record in aside.values_list("record", flat=True)}


def _sent_on(
    flow: int, newest: dict[_Who, DeadLetter], consumers: dict[int, str]
) -> Iterator[_Who]:
    """Yield whose event has a copy that came after the dead letter: it stands elsewhere.

    `consumers` are those of dead letters by record.
    """
    waiting = RetryCopy.objects.filter(flow_id=flow).order_by("-timestamp_ms")
    consumers = {**dict(waiting.values_list("record", "consumer")[:_MAX_COPIES]), **consumers}
    rows = [row for row in with_ids({who[0] for who in newest}) if row.flow_id == flow]
    copies = sorted(rows, key=attrgetter("timestamp_ms"), reverse=True)[:_MAX_COPIES]
    for (event_id, consumer), row in newest.items():
        if any(
            copy.event_id == event_id
            and copy.timestamp_ms > row.timestamp_ms
            and consumers.get(copy.record, consumer) in {"", consumer}
            for copy in copies
        ):
            yield event_id, consumer
