"""Send the items of running runs: so many a second, each committed before it is sent.

An item is `sending` in the database before its bytes leave, and `sent` by the broker's
acknowledgement alone. Whatever ends the process between the two leaves a doubt, which is settled
by our own log: found there by its retry id, it was sent; not there although the ingest has read on,
it is sent again; else it is unconfirmed in the end.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils import timezone

from tracing.domain.errors import BrokerUnavailableError
from tracing.domain.text import clean
from tracing.kafka.producer import Producer, RecordNotSentError, RecordRefusedError
from tracing.models import RetryItem, RetryRun
from tracing.projections import record_log
from tracing.projections.reading import head, stored_records
from tracing.retry.outgoing import outgoing, why_not
from tracing.retry.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from tracing.domain.record import Record
    from tracing.kafka.producer import Coordinates, Sent

# So many items, and about so many bytes of values, are in hand at once.
CHUNK = 250
CHUNK_BYTES = 8 * 1024 * 1024
ACKNOWLEDGED_WITHIN_S = 3.5


# One by one these would cost more than all the rest of a message.
_UPDATE = """
UPDATE tracing_retryitem SET state = %s, error = %s, doubted_at = %s, sent_at = %s,
 sent_partition = %s, sent_offset = %s WHERE id = %s AND state = 'sending'
"""
_UPDATE_PLACE = """
UPDATE tracing_retryitem SET sent_at = %s, sent_partition = %s, sent_offset = %s
WHERE id = %s AND sent_offset IS NULL
"""


class NothingArrivesError(BrokerUnavailableError):
    """The Kafka broker takes no record at the moment."""


class Sender:
    """Sends the items of one run; made anew when another process takes the run over."""

    def __init__(self, run: RetryRun) -> None:
        """Begin slowly."""
        self.run_id: UUID = run.id
        self._pace = Pace(run.rate_per_s)
        self._pace.begin(time.monotonic())

    def send_some(self, producer: Producer) -> list[RetryItem]:
        """Send what is due now; return the items that were taken in hand.

        Raises NothingArrivesError when none arrived: what was not handed over waits again.
        """
        due = min(self._pace.due(time.monotonic()), CHUNK)
        items = take(self.run_id, due) if due else []
        if not items:
            return []
        self._pace.took(len(items))
        send(items, producer)
        if all(item.state in ("pending", "sending") for item in items):
            raise NothingArrivesError
        return items


def take(run_id: UUID, limit: int) -> list[RetryItem]:
    """Commit the next items as `sending` and return them; none of a run that is not running.

    Two workers never get the same item: the state is looked at again under the row's lock.
    """
    position = head().position
    with transaction.atomic():
        if not RetryRun.objects.filter(id=run_id, state="running").exists():
            return []
        waiting = RetryItem.objects.filter(run_id=run_id, state="pending").order_by("n")
        items = list(waiting.select_for_update(skip_locked=True)[:limit])
        now = timezone.now()
        RetryItem.objects.filter(id__in=[item.id for item in items]).update(
            state="sending", sending_at=now, sent_position=position, error=""
        )
    for item in items:
        item.state, item.sending_at, item.sent_position = "sending", now, position
    return items


def send(items: Sequence[RetryItem], producer: Producer) -> None:
    """Send items that are committed as `sending`, and commit what became of them."""
    for part in _by_size(items):
        records = stored_records(item.record for item in part)
        on_their_way = _hand_all_over(part, records, producer)
        for item, sent in on_their_way:
            _wait(item, sent)
        with transaction.atomic():
            _commit(part)


def _hand_all_over(
    items: Sequence[RetryItem], records: dict[int, Record], producer: Producer
) -> list[tuple[RetryItem, Sent]]:
    """Hand items to the producer until it takes no more; the rest waits again."""
    on_their_way = []
    blocked = ""
    for item in items:
        if blocked:
            item.state, item.error = "pending", blocked
            continue
        sent = _hand_over(item, records.get(item.record), producer)
        if sent is not None:
            on_their_way.append((item, sent))
        elif item.state == "pending":
            # Each further one would wait as long.
            blocked = item.error
    return on_their_way


def _by_size(items: Sequence[RetryItem]) -> list[Sequence[RetryItem]]:
    """Return the items in parts whose values fit in memory together."""

    ids = [item.record for item in items]
    sizes = {
        number: row.value_length for number, row in record_log.by_id(ids, values=False).items()
    }
    parts: list[list[RetryItem]] = [[]]
    size = 0
    for item in items:
        size += sizes.get(item.record, 0)
        if size > CHUNK_BYTES and parts[-1]:
            parts.append([])
            size = sizes.get(item.record, 0)
        parts[-1].append(item)
    return list(parts)


def _hand_over(item: RetryItem, record: Record | None, producer: Producer) -> Sent | None:
    """Give the record to the producer; None when it was not handed over, with the item's state."""
    missing = why_not(record) if record is not None else "it is not stored any more"
    if record is None or missing:
        item.state, item.error = "skipped", missing
        return None
    edited = None if item.edited is None else bytes(item.edited)
    out = outgoing(record, item.retry_id, edited)
    try:
        # The topic may have fewer partitions than when the run was planned.
        there = item.partition is not None and item.partition in producer.partitions(item.topic)
        return producer.send(
            item.topic, out.key, out.value, out.headers, item.partition if there else None
        )
    except RecordRefusedError as error:
        item.state, item.error = "skipped", clean(f"refused: {error}", 500)
    except RecordNotSentError as error:
        # Nothing was handed over: no doubt, it waits again.
        item.state, item.error = "pending", clean(str(error), 500)
    return None


def _wait(item: RetryItem, sent: Sent) -> None:
    try:
        at: Coordinates = sent.coordinates(ACKNOWLEDGED_WITHIN_S)
    except RecordRefusedError as error:
        item.state, item.error = "skipped", clean(f"refused: {error}", 500)
    except RecordNotSentError as error:
        # It may have arrived all the same.
        item.doubted_at = timezone.now()
        item.error = clean(f"no acknowledgement: {error}", 500)
    else:
        item.state, item.sent_at = "sent", timezone.now()
        item.sent_partition, item.sent_offset = at.partition, at.offset


def _commit(items: Sequence[RetryItem]) -> None:
    """Write what became of items, unless the follower has seen more of one meanwhile."""
    rows = [
        (
            item.state,
            item.error,
            item.doubted_at,
            item.sent_at,
            item.sent_partition,
            item.sent_offset,
            item.id,
        )
        for item in items
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_UPDATE, rows)
        if cursor.rowcount != len(rows):
            cursor.executemany(_UPDATE_PLACE, [row[3:] for row in rows if row[3]])
