"""Replays as tests ask for them, on a real broker."""

from __future__ import annotations

import uuid
from typing import Any

from tests.integration.log import record, write
from tests.servers.processes import wait_for
from tracing.domain.failure import group_key
from tracing.domain.record import Record
from tracing.jobs.retry import SendRetries
from tracing.kafka.group_consumer import GroupConsumer
from tracing.models import DeadLetterGroup, Event, Partition, RetryItem, RetryRun
from tracing.retry import runs
from tracing.retry.selection import Selection


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
