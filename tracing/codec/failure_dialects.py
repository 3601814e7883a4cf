"""Which headers say what of a failure: one row a dialect.

Names and encodings are from the named projects' own sources.
"""

from __future__ import annotations

import msgspec


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """Which headers carry which field: the first name that is there counts, in lower case.

    `binary` numbers are big-endian, others decimal digits. `proof` names a header that makes a
    dead letter of a record whatever its topic is called. `counts_next`: the attempts are told as
    the number of the next one.
    """

    name: str
    binary: bool = False
    counts_next: bool = False
    proof: str = ""
    topic: tuple[str, ...] = ()
    partition: tuple[str, ...] = ()
    offset: tuple[str, ...] = ()
    consumer: tuple[str, ...] = ()
    exception: tuple[str, ...] = ()
    message: tuple[str, ...] = ()
    stack: tuple[str, ...] = ()
    attempts: tuple[str, ...] = ()
    max_attempts: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    first_at: tuple[str, ...] = ()
    last_at: tuple[str, ...] = ()


def _spring(end: str) -> tuple[str, ...]:
    """Return a header's name on a dead letter topic, and on those of `@RetryableTopic`."""
    return (f"kafka_dlt-{end}", f"kafka_{end}")


DIALECTS = (
    # This project's sample shop (docs/dead-letters.md).
    Dialect(
        name="eventviz",
        topic=("eventviz-failure-topic",),
        partition=("eventviz-failure-partition",),
        offset=("eventviz-failure-offset",),
        consumer=("eventviz-failure-consumer",),
        exception=("eventviz-failure-exception",),
        message=("eventviz-failure-message",),
        stack=("eventviz-failure-stack",),
        attempts=("eventviz-failure-attempts",),
        max_attempts=("eventviz-failure-max-attempts",),
        due=("eventviz-failure-due",),
        first_at=("eventviz-failure-first-at",),
        last_at=("eventviz-failure-last-at",),
    ),
    # Spring for Apache Kafka: DeadLetterPublishingRecoverer, RetryTopicHeaders.
    Dialect(
        name="spring-kafka",
        binary=True,
        counts_next=True,
        proof="kafka_dlt-original-topic",
        topic=_spring("original-topic"),
        partition=_spring("original-partition"),
        offset=_spring("original-offset"),
        consumer=_spring("original-consumer-group"),
        # What wraps it (`ListenerExecutionFailedException`) is the same for every failure.
        exception=(
            *_spring("exception-cause-fqcn"),
            *_spring("exception-fqcn"),
            *_spring("key-exception-fqcn"),
        ),
        message=(*_spring("exception-message"), *_spring("key-exception-message")),
        stack=(*_spring("exception-stacktrace"), *_spring("key-exception-stacktrace")),
        attempts=("retry_topic-attempts",),
        due=("retry_topic-backoff-timestamp",),
    ),
    # Spring Cloud Stream's Kafka binder.
    Dialect(
        name="spring-cloud-stream",
        binary=True,
        proof="x-exception-fqcn",
        topic=("x-original-topic",),
        partition=("x-original-partition",),
        offset=("x-original-offset",),
        exception=("x-exception-fqcn",),
        message=("x-exception-message",),
        stack=("x-exception-stacktrace",),
    ),
    # Kafka Connect's DeadLetterQueueReporter, with errors.deadletterqueue.context.headers.enable.
    Dialect(
        name="kafka-connect",
        proof="__connect.errors.topic",
        topic=("__connect.errors.topic",),
        partition=("__connect.errors.partition",),
        offset=("__connect.errors.offset",),
        consumer=("__connect.errors.connector.name",),
        exception=("__connect.errors.exception.class.name",),
        message=("__connect.errors.exception.message",),
        stack=("__connect.errors.exception.stacktrace",),
    ),
    # Kafka Streams 4.2 (KIP-1034).
    Dialect(
        name="kafka-streams",
        proof="__streams.errors.topic",
        topic=("__streams.errors.topic",),
        partition=("__streams.errors.partition",),
        offset=("__streams.errors.offset",),
        exception=("__streams.errors.exception",),
        message=("__streams.errors.message",),
        stack=("__streams.errors.stacktrace",),
    ),
    # Share groups (KIP-1191).
    Dialect(
        name="share-group",
        proof="__dlq.errors.topic",
        topic=("__dlq.errors.topic",),
        partition=("__dlq.errors.partition",),
        offset=("__dlq.errors.offset",),
        consumer=("__dlq.errors.group",),
        message=("__dlq.errors.message",),
        attempts=("__dlq.errors.delivery.count",),
    ),
    # SmallRye Reactive Messaging (Quarkus).
    Dialect(
        name="smallrye",
        proof="dead-letter-topic",
        topic=("dead-letter-topic",),
        partition=("dead-letter-partition",),
        offset=("dead-letter-offset",),
        exception=("dead-letter-cause-class-name", "dead-letter-exception-class-name"),
        message=("dead-letter-cause", "dead-letter-reason"),
    ),
    Dialect(
        name="nservicebus",
        proof="nservicebus.failedq",
        topic=("nservicebus.failedq",),
        consumer=("nservicebus.processingendpoint", "nservicebus.failedq"),
        exception=(
            "nservicebus.exceptioninfo.innerexceptiontype",
            "nservicebus.exceptioninfo.exceptiontype",
        ),
        message=("nservicebus.exceptioninfo.message",),
        stack=("nservicebus.exceptioninfo.stacktrace",),
        attempts=("nservicebus.delayedretries",),
    ),
    Dialect(
        name="masstransit",
        proof="mt-fault-exceptiontype",
        topic=("mt-fault-inputaddress",),
        consumer=("mt-fault-consumertype",),
        exception=("mt-fault-exceptiontype",),
        message=("mt-fault-message",),
        stack=("mt-fault-stacktrace",),
        attempts=("mt-fault-retrycount",),
    ),
    # Karafka 2.5 (before: `original_*`). These names prove nothing: others use them too.
    Dialect(
        name="karafka",
        topic=("source_topic", "original_topic"),
        partition=("source_partition", "original_partition"),
        offset=("source_offset", "original_offset"),
        consumer=("source_consumer_group", "original_consumer_group"),
        attempts=("source_attempts", "original_attempts"),
    ),
)
