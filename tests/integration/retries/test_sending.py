"""What a replay sends arrives as it was stored; it is paused, cancelled, and waits for a broker."""

from __future__ import annotations

import pytest

from tests.integration.log import record, write
from tests.integration.retries.replays import arrived, asked, chosen, ids_of, sent_all
from tests.servers.processes import free_port
from tracing.domain.errors import BrokerUnavailableError
from tracing.jobs.retry import SendRetries
from tracing.models import AuditEntry, RetryItem
from tracing.retry import runs
from tracing.retry.outgoing import RETRY_ID
from tracing.retry.selection import Selection

pytestmark = [pytest.mark.usefixtures("live_log"), pytest.mark.slow]


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
