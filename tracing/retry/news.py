"""Which events are news: first seen after a send, and not sent by ourselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.models import RetriedRecord, RetryItem
from tracing.projections import events as stored_events
from tracing.projections import record_log
from tracing.projections.names import names
from tracing.retry.outgoing import retry_id_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CHUNK = 400


def first_seen(event_ids: Iterable[str]) -> dict[str, int]:
    """Return at which position each event was seen first, on whatever topic.

    A service that recognises an event may write once more what it wrote before: a copy is no
    news. Nor is an event that a run of ours brought into the log: it is left out. A few queries
    by key a chunk.
    """
    found: dict[str, int] = {}
    wanted = sorted(set(event_ids))
    for start in range(0, len(wanted), _CHUNK):
        firsts: dict[str, tuple[int, int]] = {}
        for row in stored_events.with_ids(wanted[start : start + _CHUNK]):
            firsts.setdefault(row.event_id, (row.position, row.record))
        ours = _sent_by_us({record: event_id for event_id, (_, record) in firsts.items()})
        found |= {
            event_id: position
            for event_id, (position, record) in firsts.items()
            if record not in ours
        }
    return found


def _sent_by_us(events: Mapping[int, str]) -> set[int]:
    """Return the records that carry the retry id of an item and its event.

    A consumer may hand the header on to the events that it writes: those are other events.
    """
    carrying = RetriedRecord.objects.filter(record__in=list(events))
    numbers = list(carrying.values_list("record", flat=True))
    if not numbers:
        return set()
    rows = record_log.by_id(numbers, values=False)
    said = {number: retry_id_of(record_log.record_of(row, names())) for number, row in rows.items()}
    items = RetryItem.objects.filter(retry_id__in=[one for one in said.values() if one])
    sent = dict(items.values_list("retry_id", "event_id"))
    return {number for number, one in said.items() if one and sent.get(one) == events[number]}
