"""Where a record goes that a service cannot handle."""

from __future__ import annotations

from tracing.codec.failures import attempt_of
from tracing.demo.failing import BACKOFF_S, MAX_RETRIES, due_ms, failed, source_topic, waits_for
from tracing.domain.failure import Tier
from tracing.domain.record import Record

NOW_MS = 1_700_000_000_000


def test_it_waits_longer_each_time_and_dies_after_the_last_retry() -> None:
    record = Record(
        topic="orders", partition=2, offset=7, timestamp_ms=1, value=b"{}", headers=(("x", None),)
    )
    topics = []
    for number in range(MAX_RETRIES + 1):
        found = failed(
            record, KeyError("PIANO"), service="inventory", now_ms=NOW_MS, backoff_s=BACKOFF_S
        )
        topics.append(found.topic)
        record = Record(
            topic=found.topic, partition=0, offset=number, timestamp_ms=1, headers=found.headers
        )
        attempt = attempt_of(record)
        assert attempt is not None
        failure = attempt.failure
        assert failure is not None
        assert failure.source == "orders[2]@7"
        assert failure.exception == "KeyError"
        assert (failure.attempts, failure.max_attempts) == (number + 1, MAX_RETRIES + 1)
        if not found.dead:
            assert attempt.tier is Tier.WAITING
            assert due_ms(record) == NOW_MS + int(BACKOFF_S[number] * 1_000)
            assert (waits_for(record), source_topic(record)) == ("inventory", "orders")

    assert topics == ["orders.retry.1", "orders.retry.2", "orders.retry.3", "orders.dlq"]
    assert attempt is not None
    assert attempt.tier is Tier.DEAD
    # Nothing grows: the failure's headers stand once, the others as they were.
    names = [name for name, _ in record.headers]
    assert len(names) == len(set(names))
    assert record.headers[0] == ("x", None)


def test_a_first_delivery_believes_no_header_of_a_failure() -> None:
    record = Record(
        topic="orders",
        partition=0,
        offset=0,
        timestamp_ms=1,
        headers=(("eventviz-failure-consumer", b"email"), ("eventviz-failure-due", b"99")),
    )

    assert (waits_for(record), due_ms(record), source_topic(record)) == (None, 0, "orders")
