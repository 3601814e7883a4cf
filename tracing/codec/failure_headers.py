"""Which headers a failure left on a record: a retry strips them, so that nothing grows.

One table of names, from the projects' own sources. Headers are matched without case.
"""

from __future__ import annotations

# Spring for Apache Kafka: DeadLetterPublishingRecoverer (`kafka_dlt-*`), its retry topics
# (`kafka_original-*`, `kafka_exception-*`, `retry_topic-*`) and the delivery attempt.
# Spring Cloud Stream: `x-original-*`, `x-exception-*`. Kafka Connect: ErrorReporter's
# `__connect.errors.*`. Kafka Streams (KIP-1034), share groups (KIP-1191).
# NServiceBus, MassTransit's faults. This project's own: what the shop writes, and a retry's id.
PREFIXES = (
    *("kafka_dlt-", "kafka_original-", "kafka_exception-", "retry_topic-"),
    *("kafka_key-exception-", "kafka_value-exception-"),
    *("x-original-", "x-exception-"),
    *("__connect.errors.", "__streams.errors.", "__dlq.errors."),
    *("nservicebus.exceptioninfo.", "mt-fault-"),
    *("eventviz-retry-", "eventviz-failure-"),
)
# Single names: Spring, SmallRye (`dead-letter-*`), Karafka (`source_*`, before `original_*`),
# NServiceBus, MassTransit. Named one by one where a prefix would take strangers' headers along.
NAMES = frozenset(
    (
        *("kafka_deliveryattempt", "springdeserializerexceptionkey"),
        *("springdeserializerexceptionvalue", "kafka_listenerinfo"),
        *("dead-letter-reason", "dead-letter-cause", "dead-letter-exception-class-name"),
        *("dead-letter-cause-class-name", "dead-letter-topic", "dead-letter-partition"),
        *("dead-letter-offset",),
        *("source_topic", "source_partition", "source_offset", "source_consumer_group"),
        *("source_attempts", "original_topic", "original_partition", "original_offset"),
        *("original_consumer_group", "original_attempts"),
        *("nservicebus.failedq", "nservicebus.timeoffailure", "nservicebus.retries"),
        *("nservicebus.delayedretries", "mt-reason"),
    )
)


def is_failure_header(name: str) -> bool:
    """Tell whether a header belongs to a failure or to a mechanism that retries."""
    lower = name.lower()
    return lower in NAMES or lower.startswith(PREFIXES)
