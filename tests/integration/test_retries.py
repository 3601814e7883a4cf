"""Replays on a real broker: what arrives, once asked, paused, cancelled, doubted, followed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from msgspec import structs
from pytest_django import Settings

from tests.integration.log import record, write
from tests.servers.processes import free_port, wait_for
from tracing.domain.errors import BrokerUnavailableError
from tracing.domain.failure import group_key
from tracing.domain.record import Record
from tracing.jobs.retry import SendRetries
from tracing.kafka.group_consumer import GroupConsumer
from tracing.kafka.producer import ensure_topics
from tracing.models import (
    AuditEntry,
    DeadLetterGroup,
    Event,
    GroupDecision,
    Ingestor,
    Partition,
    RetryItem,
    RetryRun,
    RetryTally,
)
from tracing.models.retry import AuditIsFinalError
from tracing.retry import runs
from tracing.retry.following import Follower
from tracing.retry.outgoing import RETRY_ID
from tracing.retry.selection import BadSelectionError, Selection

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]


@pytest.fixture
def topic(broker: str) -> str:
    """Return a topic of the broker with one partition."""
    name = f"retries-{uuid.uuid4().hex[:8]}"
    ensure_topics([broker], {name: 1})
    return name


@pytest.fixture
def step(broker: str) -> Iterator[SendRetries]:
    """Return the step that sends."""
    made = SendRetries([broker])
    yield made
    made.close()


def asked(selection: Selection, **fields: Any) -> RetryRun:
    """Ask for a replay."""
    given: dict[str, Any] = {
        "kind": "replay",
        "by": "grace",
        "reason": "the consumer was down",
        "rate_per_s": 1_000.0,
        "token": uuid.uuid4().hex,
    }
    return runs.ask(runs.Asked(selection=selection, **{**given, **fields}))


def chosen(*ids: int) -> Selection:
    return Selection(kind="records", records=ids)


def ids_of(topic: str) -> list[int]:
    """Return the stored records of a topic, in order."""
    partition = Partition.objects.get(source__topic=topic)
    rows = Event.objects.filter(record__gte=partition.id << 44).order_by("record")
    return list(rows.values_list("record", flat=True))


def sent_all(step: SendRetries, run: RetryRun) -> RetryRun:
    """Let the step work until nothing is left to send."""

    def done() -> bool:
        step.run()
        return not RetryItem.objects.filter(run=run, state__in=("pending", "sending")).exists()

    wait_for(done, "everything sent")
    run.refresh_from_db()
    return run


def arrived(broker: str, topic: str, count: int) -> list[Record]:
    """Return what the broker has of a topic."""
    group = f"readers {uuid.uuid4().hex}"
    consumer = GroupConsumer([broker], group=group, topics=[topic], session_timeout_ms=2_000)
    found: list[Record] = []

    def enough() -> list[Record]:
        found.extend(consumer.poll(50))
        return found if len(found) >= count else []

    try:
        return wait_for(enough, f"{count} records")
    finally:
        consumer.close()


# What arrives


def test_a_stored_record_arrives_byte_for_byte(broker: str, topic: str, step: SendRetries) -> None:
    kept = (("trace", b"\x00\xff"), ("empty", None), ("trace", b"2"))
    failed = (("kafka_dlt-exception-message", b"no stock"), ("__connect.errors.topic", b"x"))
    write(record("e-1", topic=topic, value=b'{"a": 1}\n', key=b"\x00k", headers=(*kept, *failed)))

    run = sent_all(step, asked(chosen(*ids_of(topic))))

    item = RetryItem.objects.get(run=run)
    (found,) = arrived(broker, topic, 1)
    assert (found.key, found.value) == (b"\x00k", b'{"a": 1}\n')
    assert found.headers == (
        ("source", b"order-service"),
        *kept,
        (RETRY_ID, item.retry_id.encode()),
    )
    assert (item.state, item.sent_partition, item.sent_offset) == ("sent", 0, found.offset)
    assert (run.planned, run.sent) == (1, 1)


def test_a_large_value_arrives_whole(broker: str, topic: str, step: SendRetries) -> None:
    value = bytes(range(256)) * 6_000
    write(record("e-1", topic=topic, value=value))

    sent_all(step, asked(chosen(*ids_of(topic))))

    (found,) = arrived(broker, topic, 1)
    assert found.value == value


def test_a_flow_a_key_and_a_time_range_go_out_in_order(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(
        *(
            record(f"e-{n}", topic=topic, flow="f-1" if n < 3 else "f-2", key=b"K", at_ms=n * 1_000)
            for n in range(6)
        )
    )
    selections = (
        (Selection(kind="flow", text="f-1"), [0, 1, 2]),
        (Selection(kind="topic", text=topic, since_ms=2_000, until_ms=5_000), [2, 3, 4]),
        (Selection(kind="topic", text=topic), [0, 1, 2, 3, 4, 5]),
    )
    for selection, expected in selections:
        run = sent_all(step, asked(selection))
        items = RetryItem.objects.filter(run=run).order_by("n")
        assert [item.event_id for item in items] == [f"e-{n}" for n in expected]
        RetryItem.objects.update(state="processed")


def test_an_edited_value_is_sent_and_the_difference_kept(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(record("e-1", topic=topic))

    edit = runs.Edit(b'{"fixed": true}', "- a\n+ b")
    run = sent_all(step, asked(chosen(*ids_of(topic)), edit=edit))

    (found,) = arrived(broker, topic, 1)
    assert found.value == b'{"fixed": true}'
    assert RetryItem.objects.get(run=run).difference == "- a\n+ b"


# Asking


def test_asked_twice_with_one_token_there_is_one_run(topic: str) -> None:
    write(record("e-1", topic=topic))

    first, second = (asked(chosen(*ids_of(topic)), token="t") for _ in range(2))

    assert first == second
    assert AuditEntry.objects.count() == 1


def test_two_people_who_retry_the_same_record_send_it_once(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(record("e-1", topic=topic))
    one, other = asked(chosen(*ids_of(topic))), asked(chosen(*ids_of(topic)), by="ada")

    sent_all(step, one)
    sent_all(step, other)

    other.refresh_from_db()
    assert len(arrived(broker, topic, 1)) == 1
    assert (other.state, other.planned, other.skipped) == ("done", 1, 1)
    assert "another run" in RetryItem.objects.get(run=other).error


@pytest.mark.parametrize(
    "fields", [{"reason": " "}, {"rate_per_s": 0}, {"rate_per_s": float("nan")}, {"token": ""}]
)
def test_what_makes_no_sense_is_refused(db: None, fields: dict[str, Any]) -> None:
    with pytest.raises(runs.BadRunError):
        asked(chosen(1), **fields)
    with pytest.raises(BadSelectionError):
        asked(chosen())


def test_what_cannot_be_had_or_may_not_be_sent_is_left_out(
    topic: str, step: SendRetries, broker: str
) -> None:
    write(record("e-1", topic=f"{topic}.dlq"), record("e-2", topic=topic))
    dead, fine = ids_of(f"{topic}.dlq")[0], ids_of(topic)[0]

    run = sent_all(step, asked(chosen(dead, fine, 7)))

    errors = list(RetryItem.objects.filter(run=run).order_by("n").values_list("error", flat=True))
    assert "may be sent to" in errors[0]
    assert errors[1] == ""
    assert "not stored" in errors[2]
    assert (run.planned, run.sent, run.skipped) == (3, 1, 2)


def test_a_record_is_not_sent_again_for_ever(
    broker: str, topic: str, step: SendRetries, settings: Settings
) -> None:
    settings.EVENTVIZ_RETRY_LIMIT = 2
    write(record("e-1", topic=topic))
    for _ in range(3):
        run = sent_all(step, asked(chosen(*ids_of(topic))))
        RetryItem.objects.filter(state="sent").update(state="processed")

    assert "EVENTVIZ_RETRY_LIMIT" in RetryItem.objects.get(run=run).error
    assert len(arrived(broker, topic, 2)) == 2


# While it runs


def test_a_paused_run_goes_on_and_a_cancelled_one_ends(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(*(record(f"e-{n}", topic=topic) for n in range(20)))
    run = asked(Selection(kind="topic", text=topic), rate_per_s=4)
    step.run()
    assert runs.pause(run, "grace")
    step.run()
    sent = RetryItem.objects.filter(run=run, state="sent").count()
    step.run()

    assert 0 < sent < 20
    assert RetryItem.objects.filter(run=run, state="sent").count() == sent
    assert runs.resume(run, "grace")
    assert not runs.resume(run, "grace")
    assert runs.cancel(run, "ada")
    step.run()
    RetryItem.objects.filter(state="sent").update(state="processed")
    step.run()

    run.refresh_from_db()
    assert (run.state, run.sent + run.skipped) == ("cancelled", 20)
    assert run.finished_at is not None
    what = list(AuditEntry.objects.order_by("id").values_list("who", "what"))
    assert what == [
        ("grace", "replay"),
        ("grace", "pause"),
        ("grace", "resume"),
        ("ada", "cancel"),
        ("eventviz", "replay ended"),
    ]


def test_a_broker_that_is_away_is_waited_for(topic: str, broker: str) -> None:
    write(record("e-1", topic=topic))
    run = asked(chosen(*ids_of(topic)))
    away = SendRetries([f"127.0.0.1:{free_port()}"])

    with pytest.raises(BrokerUnavailableError):
        away.run()

    run.refresh_from_db()
    assert "Trying again" in run.error
    assert RetryItem.objects.get(run=run).state == "pending"
    back = SendRetries([broker])
    assert sent_all(back, run).sent == 1
    back.close()


# Doubts


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


# Did it work?


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


# The audit


def test_an_audit_entry_is_final(topic: str) -> None:
    write(record("e-1", topic=topic))
    asked(chosen(*ids_of(topic)))
    entry = AuditEntry.objects.get()

    with pytest.raises(AuditIsFinalError):
        entry.save()
    with pytest.raises(AuditIsFinalError):
        entry.delete()


# Dead letters


def dead(topic: str, *headers: tuple[str, bytes | None], event_id: str = "e-1") -> Record:
    """Return a dead letter of an event of the topic."""
    said = (
        ("kafka_dlt-original-topic", topic.encode()),
        ("kafka_dlt-original-partition", (0).to_bytes(4, "big")),
        ("kafka_dlt-exception-fqcn", b"com.acme.NoStock"),
    )
    return record(event_id, topic=f"{topic}-dlt", headers=(*said, *headers))


def give_up_after_mail(topic: str) -> None:
    """Let inventory give up an event that email has answered already."""
    group = ("kafka_dlt-original-consumer-group", b"inventory")
    write(record("e-1", topic=topic, at_ms=1_000))
    write(record("mail 1", topic=topic, cause="e-1", service="email", at_ms=2_000))
    write(dead(topic, group))


def group_run() -> RetryRun:
    group = DeadLetterGroup.objects.get()
    return asked(Selection(kind="group", text=group_key(group.id)), kind="retry")


def test_a_group_goes_back_to_where_it_came_from_and_is_resolved(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(record("e-1", topic=topic), dead(topic))
    run = sent_all(step, group_run())
    (found,) = arrived(broker, topic, 1)
    assert [name for name, _ in found.headers] == ["source", RETRY_ID]

    write(record("effect", topic=topic, cause="e-1"))
    Follower().look()

    run.refresh_from_db()
    tally = RetryTally.objects.get()
    decision = GroupDecision.objects.get()
    assert (run.state, run.processed) == ("done", 1)
    assert (tally.retried, tally.recovered, tally.failed_again) == (1, 1, 0)
    assert (decision.state, decision.decided_by) == ("resolved", "eventviz")
    assert AuditEntry.objects.filter(what="resolve", who="eventviz").count() == 1


def test_one_that_fails_again_is_joined_and_its_newest_letter_is_retried(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(record("e-1", topic=topic), dead(topic))
    first = sent_all(step, group_run())
    item = RetryItem.objects.get()
    write(dead(topic, (RETRY_ID, item.retry_id.encode())))
    follower = Follower()
    follower.look()

    item.refresh_from_db()
    first.refresh_from_db()
    assert (item.state, item.again) == ("failed_again", ids_of(f"{topic}-dlt")[1])
    assert (first.state, first.failed_again) == ("done", 1)
    assert DeadLetterGroup.objects.get().count == 1
    second = sent_all(step, group_run())
    sent = RetryItem.objects.get(run=second, state="sent")
    assert (second.planned, second.skipped, sent.attempt) == (2, 1, 2)

    write(record("effect", topic=topic, cause="e-1"))
    Follower().look()

    tally = RetryTally.objects.get()
    assert (tally.recovered, tally.failed_again) == (1, 1)
    assert GroupDecision.objects.get().state == "resolved"


def test_what_others_answer_again_does_not_mean_that_the_failing_one_processed_it(
    broker: str, topic: str, step: SendRetries
) -> None:
    give_up_after_mail(topic)
    run = sent_all(step, group_run())
    follower = Follower()

    write(record("mail 2", topic=topic, cause="e-1", service="email"))
    follower.look()
    assert RetryItem.objects.get(run=run).state == "sent"
    write(record("stock", topic=topic, cause="e-1", service="inventory"))
    follower.look()

    assert RetryItem.objects.get(run=run).state == "processed"


def test_what_died_after_it_was_asked_for_is_not_meant(
    broker: str, topic: str, step: SendRetries
) -> None:
    write(record("e-1", topic=topic), dead(topic))
    run = group_run()
    write(dead(topic, event_id="e-2"))

    assert sent_all(step, run).planned == 1
