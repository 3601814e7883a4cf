"""What the headers of real producers say of a failure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tracing.codec.decode import decode
from tracing.codec.failure_dialects import DIALECTS, Dialect
from tracing.codec.failure_headers import is_failure_header
from tracing.codec.failures import attempt_of
from tracing.domain.failure import Attempt, Failure, Tier
from tracing.domain.record import Header, Record
from tracing.domain.topology import TopicRoles


def record(topic: str, *headers: Header, value: bytes | None = b"{}") -> Record:
    return Record(topic=topic, partition=0, offset=7, timestamp_ms=1, value=value, headers=headers)


def failure(topic: str, *headers: Header) -> Failure:
    attempt = attempt_of(record(topic, *headers))
    assert attempt is not None
    assert attempt.failure is not None
    return attempt.failure


def test_an_ordinary_record_is_no_attempt() -> None:
    assert attempt_of(record("orders", ("source", b"shop"), ("source_topic", b"x"))) is None


def test_it_reads_spring_kafka_with_binary_numbers_and_the_innermost_cause() -> None:
    stack = (
        b"org.springframework.kafka.listener.ListenerExecutionFailedException: Listener failed\n"
        b"\tat a.b.C.d(C.java:1)\n"
        b"Caused by: com.acme.OrderException: order broken\n\tat a.b\n"
        b"Caused by: java.lang.IllegalStateException: no stock for ORD-7\n\t... 12 more\n"
    )
    found = failure(
        "orders-dlt",
        ("kafka_dlt-original-topic", b"orders"),
        ("kafka_dlt-original-partition", (3).to_bytes(4, "big")),
        ("kafka_dlt-original-offset", (1 << 33).to_bytes(8, "big")),
        ("kafka_dlt-original-consumer-group", b"billing"),
        ("kafka_dlt-exception-fqcn", b"org.springframework.ListenerExecutionFailedException"),
        ("kafka_dlt-exception-cause-fqcn", b"com.acme.OrderException"),
        ("kafka_dlt-exception-message", b"Listener failed; order broken"),
        ("kafka_dlt-exception-stacktrace", stack),
    )

    assert found.dialect == "spring-kafka"
    assert found.source == f"orders[3]@{1 << 33}"
    assert found.consumer == "billing"
    assert found.exception == "java.lang.IllegalStateException"
    assert found.message == "no stock for ORD-7"


def test_without_a_stack_spring_names_the_cause_and_the_rest_of_the_message() -> None:
    found = failure(
        "orders.DLT",
        ("kafka_dlt-exception-fqcn", b"org.springframework.ListenerExecutionFailedException"),
        ("kafka_dlt-exception-cause-fqcn", b"com.acme.OrderException"),
        ("kafka_dlt-exception-message", b"Listener failed; order broken"),
    )

    assert (found.exception, found.message) == ("com.acme.OrderException", "order broken")


def test_the_source_is_the_first_hop_and_the_exception_the_last() -> None:
    found = failure(
        "orders-retry-1",
        ("kafka_original-topic", b"orders"),
        ("kafka_original-topic", b"orders-retry-0"),
        ("kafka_exception-message", b"first"),
        ("kafka_exception-message", b"second"),
        ("retry_topic-attempts", (2).to_bytes(4, "big")),
        ("retry_topic-backoff-timestamp", (1_700_000_000_000).to_bytes(6, "big")),
    )

    assert found.source_topic == "orders"
    assert found.message == "second"
    # Spring numbers the attempt that comes.
    assert (found.attempts, found.due_ms) == (1, 1_700_000_000_000)


def test_it_reads_kafka_connect_on_a_topic_of_any_name() -> None:
    headers = (
        ("__connect.errors.topic", b"payments"),
        ("__connect.errors.partition", b"2"),
        ("__connect.errors.offset", b"41"),
        ("__connect.errors.connector.name", b"sink"),
        ("__connect.errors.exception.class.name", b"org.apache.kafka.connect.DataException"),
        ("__connect.errors.exception.message", b"Converting byte[] failed"),
    )
    found = failure("whatever", *headers)

    assert found.source == "payments[2]@41"
    assert (found.dialect, found.consumer) == ("kafka-connect", "sink")
    # Somebody sent it back with all its headers: it is an event again.
    assert attempt_of(record("payments", *headers)) is None


def test_a_dead_letter_without_any_failure_header_is_one_all_the_same() -> None:
    roles = TopicRoles(dead_letters=("connect-errors",))

    assert attempt_of(record("connect-errors"), roles) == Attempt(
        tier=Tier.DEAD, failure=Failure(dialect="none")
    )


def test_a_serialised_exception_is_shown_as_hexadecimal() -> None:
    found = failure("t.dlq", ("kafka_dlt-exception-message", b"\xac\xed\x00\x05"))

    assert found.message == "0xaced0005"


def test_numbers_that_make_no_sense_count_as_absent() -> None:
    found = failure(
        "t.dlq",
        ("__connect.errors.topic", b"t"),
        ("__connect.errors.partition", b"-1"),
        ("__connect.errors.offset", b"9" * 19),
    )

    assert (found.source_partition, found.source_offset, found.source) == (None, None, None)


def test_what_eventviz_sent_again_is_an_attempt_on_its_own_topic() -> None:
    assert attempt_of(record("orders", ("eventviz-retry-id", b"r-1"))) == Attempt(
        tier=Tier.RETRIED, retry_id="r-1"
    )


def test_a_copy_without_an_envelope_is_the_event_that_it_names() -> None:
    headers: tuple[Header, ...] = (
        ("__connect.errors.topic", b"raw"),
        ("__connect.errors.partition", b"0"),
        ("__connect.errors.offset", b"5"),
    )
    for value in (b"plain bytes", b"{broken", None):
        event = decode(record("raw-dlq", *headers, value=value)).events[0]

        assert event.event_id == event.correlation_id == "raw[0]@5"
        assert event.attempt is not None
        assert event.attempt.tier is Tier.DEAD


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_retry_strips_every_header_that_tells_of_a_failure(dialect: Dialect) -> None:
    kept = {"nservicebus.processingendpoint", "nservicebus.delayedretries"}
    for field in dialect.__struct_fields__:
        names = getattr(dialect, field)
        for name in names if isinstance(names, tuple) else ():
            assert is_failure_header(name) or name in kept


NAMES = sorted(
    name
    for dialect in DIALECTS
    for field in dialect.__struct_fields__
    if isinstance(getattr(dialect, field), tuple)
    for name in getattr(dialect, field)
)


@share(50)
@given(
    st.sampled_from(["orders", "orders-dlt", "orders.retry.2", "error.a.b"]),
    st.lists(
        st.tuples(st.sampled_from(NAMES) | st.text(max_size=9), st.none() | st.binary(max_size=20)),
        max_size=9,
    ),
)
def test_any_headers_are_read_within_bounds(topic: str, headers: list[Header]) -> None:
    attempt = attempt_of(record(topic, *headers))

    if topic != "orders":
        assert attempt is not None
    if attempt is not None and attempt.failure is not None:
        found = attempt.failure
        for number in (found.attempts, found.source_partition, found.source_offset):
            assert number is None or 0 <= number < 2**44
        for text in (found.exception, found.message, found.consumer, found.source_topic):
            assert text is None or "\x00" not in text
