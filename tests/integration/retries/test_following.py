"""Whether what was sent again worked: its effects say so, in time or not."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from msgspec import structs
from pytest_django import Settings

from tests.integration.log import record, write
from tests.integration.retries.replays import asked, chosen, give_up_after_mail, ids_of, sent_all
from tracing.jobs.retry import SendRetries
from tracing.models import RetryItem
from tracing.retry import runs
from tracing.retry.following import Follower
from tracing.retry.outgoing import RETRY_ID
from tracing.retry.selection import Selection

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]


def test_an_effect_that_comes_behind_the_send_means_processed(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(record("e-1", topic=topic), record("effect before", topic=topic, cause="e-1"))
    run = sent_all(step, asked(chosen(ids_of(topic)[0])))
    follower = Follower()
    follower.look()
    assert RetryItem.objects.get(run=run).state == "sent"
    # A copy in a dead letter topic is no effect, an event on an ordinary one is.
    write(record("dead", topic=f"{topic}.dlq", cause="e-1"))
    follower.look()
    assert RetryItem.objects.get(run=run).state == "sent"

    write(record("effect", topic=topic, cause="e-1"))
    follower.look()

    run.refresh_from_db()
    assert RetryItem.objects.get(run=run).state == "processed"
    assert (run.state, run.processed) == ("done", 1)


def test_without_an_effect_it_is_unconfirmed_in_time(
    broker: str, topic: str, step: SendRetries, settings: Settings
) -> None:
    write(record("e-1", topic=topic))
    run = sent_all(step, asked(chosen(*ids_of(topic))))
    RetryItem.objects.update(sent_at=timezone.now() - dt.timedelta(minutes=2))

    Follower().look()

    run.refresh_from_db()
    assert (run.state, run.unconfirmed) == ("done", 1)
    assert "no new effect came within 60 s" in RetryItem.objects.get(run=run).error


def test_a_replayed_flow_whose_services_skip_what_they_know_is_unconfirmed(
    broker: str, topic: str, step: SendRetries
) -> None:
    flow = (
        record("e-1", topic=topic),
        record("e-2", "StockReserved", topic=topic, cause="e-1", service="inventory"),
        record("e-3", "OrderShipped", topic=topic, cause="e-2", service="shipping"),
    )
    write(*flow)
    run = sent_all(step, asked(Selection(kind="flow", text="o-1")))
    ids = list(RetryItem.objects.order_by("n").values_list("retry_id", flat=True))
    assert len(ids) == 3
    # All that comes behind the send: our own copies, and one that a service wrote once more.
    copies = [
        structs.replace(one, headers=(*one.headers, (RETRY_ID, retry_id.encode())))
        for one, retry_id in zip(flow, ids, strict=True)
    ]
    write(*copies, flow[1])
    follower = Follower()
    follower.look()
    RetryItem.objects.update(sent_at=timezone.now() - dt.timedelta(minutes=2))
    follower.look()

    run.refresh_from_db()
    assert (run.state, run.processed, run.unconfirmed) == ("done", 0, 3)
    assert "skipped an event id that they know" in RetryItem.objects.filter(run=run)[0].error
    # What a service does once more is an event of its own, and late news count too.
    write(record("e-9", "OrderShipped", topic=topic, cause="e-2", service="shipping"))
    run = sent_all(step, asked(chosen(ids_of(topic)[0])))
    write(record("e-8", "StockReserved", topic=topic, cause="e-1", service="inventory"))
    follower.look()

    assert RetryItem.objects.get(run=run).state == "processed"


def test_an_event_that_another_run_sent_is_no_effect(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(record("e-1", topic=topic), record("e-2", topic=topic, cause="e-1"))
    first, second = ids_of(topic)
    one = sent_all(step, asked(chosen(first)))
    changed = record("e-2 mended", topic=topic, cause="e-1")
    edit = runs.Edit(changed.value or b"", "- a\n+ b")
    other = sent_all(step, asked(chosen(second), edit=edit))
    retry_id = RetryItem.objects.get(run=other).retry_id

    write(structs.replace(changed, headers=((RETRY_ID, retry_id.encode()),)))
    Follower().look()

    assert RetryItem.objects.get(run=one).state == "sent"


def test_an_edited_message_is_followed_by_its_new_event_id(
    broker: str, topic: str, step: SendRetries
) -> None:
    give_up_after_mail(topic)
    letter = ids_of(f"{topic}-dlt")[0]
    edit = runs.Edit(record("e-1 mended").value or b"", "- a\n+ b")
    run = sent_all(step, asked(chosen(letter), kind="retry", edit=edit))
    follower = Follower()

    # What somebody does about the old one, and who had answered it before, says nothing.
    write(record("stock 1", topic=topic, cause="e-1", service="inventory"))
    write(record("mail 2", topic=topic, cause="e-1 mended", service="email"))
    follower.look()
    assert RetryItem.objects.get(run=run).state == "sent"
    write(record("stock 2", topic=topic, cause="e-1 mended", service="inventory"))
    follower.look()

    item = RetryItem.objects.get(run=run)
    assert (item.event_id, item.state) == ("e-1 mended", "processed")
