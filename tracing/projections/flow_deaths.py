"""The dead letters of one flow: which of its events a consumer gave up, and whether it still is."""

from __future__ import annotations

import msgspec

from tracing.domain.failure import group_key
from tracing.models import DeadLetter, DeadLetterGroup, Discard, Event
from tracing.projections.plain_sql import select

# A flow with more is a mass grave: the inbox shows them by group.
MAX_DEATHS = 50
_MAX_COPIES = 2_000


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """The newest dead letter of an event; `group` is its group's key.

    `open` until a newer copy of the event stands on another topic, or somebody put it aside.
    """

    event_id: str
    group: str
    record: int
    consumer: str
    exception: str
    message: str
    open: bool


def deaths_of(flow: int) -> tuple[Death, ...]:
    """Return a flow's dead letters, one an event, the newest first. One look-up where none is."""
    if not select(("1",), "tracing_deadletter", "flow_id = %s LIMIT 1", (flow,)):
        return ()
    newest: dict[str, DeadLetter] = {}
    rows = DeadLetter.objects.filter(flow_id=flow).order_by("-timestamp_ms", "-record")
    for row in rows[:MAX_DEATHS]:
        newest.setdefault(row.event_id, row)
    groups = DeadLetterGroup.objects.in_bulk({row.group_id for row in newest.values()})
    over = _put_aside(newest) | _sent_on(flow, newest)
    found = []
    for event_id, row in newest.items():
        group = groups.get(row.group_id)
        found.append(
            Death(
                event_id=event_id,
                group=group_key(row.group_id),
                record=row.record,
                consumer=group.consumer if group else "",
                exception=group.exception if group else "",
                message=row.message,
                open=event_id not in over,
            )
        )
    return tuple(found)


def _put_aside(newest: dict[str, DeadLetter]) -> set[str]:
    records = {row.record: event_id for event_id, row in newest.items()}
    aside = Discard.objects.filter(record__in=records, restored_at=None)
    return {records[record] for record in aside.values_list("record", flat=True)}


def _sent_on(flow: int, newest: dict[str, DeadLetter]) -> set[str]:
    """Return the events of which a copy came after the dead letter: it stands elsewhere."""
    hashes = {row.event_hash for row in newest.values()}
    copies = Event.objects.filter(event_hash__in=hashes, flow_id=flow).order_by("-timestamp_ms")
    return {
        event_id
        for event_id, at_ms in copies.values_list("event_id", "timestamp_ms")[:_MAX_COPIES]
        if event_id in newest and at_ms > newest[event_id].timestamp_ms
    }
