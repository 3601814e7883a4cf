"""What Spring for Apache Kafka, Kafka Connect and Kafka Streams themselves wrote is understood."""

from __future__ import annotations

from tests.strangers.failed import recorded
from tracing.codec.failures import attempt_of
from tracing.domain.failure import Attempt, Failure, Tier, fingerprint, normalised
from tracing.domain.record import Record
from tracing.domain.topology import TopicRoles, kind_of

NOT_UTF8 = ("java.nio.charset.MalformedInputException", "Input length = 1")
DOWN = ("java.net.ConnectException", "Connection refused: ledger/10.0.0.7:5432")


def attempt(record: Record) -> Attempt:
    found = attempt_of(record, TopicRoles(dead_letters=("archive-rejects",)))
    assert found is not None
    return found


def failures(name: str, topic: str) -> list[Failure]:
    records = [record for record in recorded(name) if record.topic == topic]
    found = [attempt(record).failure for record in records]
    assert all(found)
    return [failure for failure in found if failure]


def groups(name: str, topic: str) -> list[str]:
    of = kind_of(topic).of
    return [
        fingerprint(failure, topic=topic, of=of, event_type="T").text
        for failure in failures(name, topic)
    ]


def test_the_recoverer_s_dead_letters_name_consumer_source_and_innermost_cause() -> None:
    down, ids, value, key, again = failures("spring-recoverer", "invoices-dlt")

    assert {failure.dialect for failure in (down, ids, value, key, again)} == {"spring-kafka"}
    assert {failure.consumer for failure in (down, ids, value, key, again)} == {"billing"}
    assert [failure.source_offset for failure in (down, ids, value, key)] == [0, 1, 2, 3]
    assert (down.exception, down.message) == DOWN
    assert ids.exception == "java.lang.IllegalArgumentException"
    assert (value.exception, value.message) == (key.exception, key.message) == NOT_UTF8


def test_one_that_failed_twice_with_all_headers_stands_in_the_group_of_the_first() -> None:
    first, *_, again = groups("spring-recoverer", "invoices-dlt")

    assert again == first
    assert failures("spring-recoverer", "invoices-dlt")[-1].source == "invoices[0]@0"


def test_a_message_with_ids_makes_one_group_across_the_attempts() -> None:
    everywhere = ("shipments-retry-0", "shipments-retry-1", "shipments-dlt")
    texts = [text for topic in everywhere for text in groups("spring-retry-topics", topic)]
    ids = {text for text in texts if "IllegalArgumentException" in text}

    assert len(ids) == 1
    assert normalised("Order ORD-2 of customer a4dbe433-49ec-4705-a399-fd3fb2f5eeaa") in ids.pop()


def test_retry_topics_say_how_often_it_was_tried_and_when_it_is_again() -> None:
    waiting = [record for record in recorded("spring-retry-topics") if "retry" in record.topic]

    for record in waiting:
        found = attempt(record)

        assert found.tier is Tier.WAITING
        assert found.attempt == (1 if record.topic == "shipments-retry-0" else 2)
        assert found.failure is not None
        assert found.failure.due_ms is not None
        assert abs(record.timestamp_ms - found.failure.due_ms) < 5_000


def test_the_last_dead_letter_counts_the_attempts_that_were_made() -> None:
    found = failures("spring-retry-topics", "shipments-dlt")

    # What cannot be read is not tried again.
    assert sorted(failure.attempts or 0 for failure in found) == [1, 1, 3, 3]
    assert {failure.consumer for failure in found} == {"shipping"}
    assert {failure.source_topic for failure in found} == {"shipments"}


def test_connect_names_the_connector_and_the_cause_behind_its_wrapper() -> None:
    half, not_json, total = failures("connect", "ledger-dlq")

    assert {failure.consumer for failure in (half, not_json, total)} == {"ledger-sink"}
    assert [failure.source for failure in (half, not_json, total)] == [
        f"ledger[0]@{offset}" for offset in range(3)
    ]
    assert half.exception == "com.fasterxml.jackson.core.io.JsonEOFException"
    assert not_json.exception == "com.fasterxml.jackson.core.JsonParseException"
    assert total.summary == 'NumberFormatException: For input string: "a lot"'


def test_streams_names_the_innermost_cause_and_no_consumer() -> None:
    unread, wrong = failures("streams", "stock-dlq")

    assert {failure.dialect for failure in (unread, wrong)} == {"kafka-streams"}
    assert [failure.source for failure in (unread, wrong)] == ["stock[0]@0", "stock[0]@1"]
    assert unread.summary == (
        "SerializationException: Size of data received by IntegerDeserializer is not 4"
    )
    assert wrong.summary == "ArithmeticException: -7 pieces are less than none"


def test_connect_without_headers_still_leaves_dead_letters_where_the_settings_say_so() -> None:
    for record in recorded("connect-without-headers"):
        assert attempt(record).tier is Tier.DEAD
        assert attempt_of(record) is None
