"""A send whose process died: our own log says whether it arrived."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from tests.integration.log import record, write
from tests.integration.retries.replays import asked, chosen, ids_of
from tracing.models import Ingestor, Partition, RetryItem
from tracing.retry import runs
from tracing.retry.following import Follower
from tracing.retry.outgoing import RETRY_ID

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]


def doubtful(topic: str) -> RetryItem:
    """Return an item that a process began to send a minute ago before it died."""
    write(record("e-1", topic=topic))
    run = asked(chosen(*ids_of(topic)))
    runs.list_some(run)
    long_ago = timezone.now() - dt.timedelta(seconds=60)
    RetryItem.objects.update(state="sending", sending_at=long_ago, sent_position=1)
    return RetryItem.objects.get()


def alive(**fields: Any) -> None:
    Ingestor.objects.create(name="one", state="running", seen_at=timezone.now(), **fields)


def test_a_doubt_is_settled_by_our_own_log(topic: str) -> None:
    item = doubtful(topic)
    write(record("e-1", topic=topic, headers=((RETRY_ID, item.retry_id.encode()),)))

    Follower().look()

    item.refresh_from_db()
    assert (item.state, item.sent_partition, item.sent_offset) == ("sent", 0, 1)
    assert item.doubted_at is not None


def test_what_our_log_has_not_although_it_read_on_is_sent_again(topic: str) -> None:
    item = doubtful(topic)
    Partition.objects.update(next_offset=1, end_offset=1)
    alive()

    Follower().look()

    item.refresh_from_db()
    assert item.state == "pending"
    assert item.doubted_at is not None


@pytest.mark.parametrize("fields", [None, {"lag": 3}])
def test_without_an_ingest_that_reads_on_a_doubt_stays_one(
    topic: str, fields: dict[str, Any] | None
) -> None:
    item = doubtful(topic)
    if fields:
        alive(**fields)

    Follower().look()

    item.refresh_from_db()
    assert item.state == "sending"
    RetryItem.objects.update(sending_at=timezone.now() - dt.timedelta(hours=1))
    Follower().look()
    item.refresh_from_db()
    assert item.state == "unconfirmed"
    assert "may have arrived or not" in item.error
