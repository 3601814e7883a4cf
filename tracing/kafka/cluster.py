"""Facts about a cluster: which topics and partitions it has."""

from __future__ import annotations

from typing import Any

import msgspec

from tracing.kafka.admin import AdminConnection


class TopicPartitions(msgspec.Struct, frozen=True):
    """A topic as it exists now: made anew under the same name, it has another UUID."""

    name: str
    uuid: str
    partitions: tuple[int, ...]


class Cluster(AdminConnection):
    """Asks the cluster about itself. Every method raises BrokerUnavailableError."""

    def topics(self) -> list[TopicPartitions]:
        """Return all topics that are not Kafka's own, with the partitions that have a leader."""
        with self._translated():
            found = self._admin.describe_topics()
        return [
            TopicPartitions(
                name=topic["name"],
                uuid=str(topic["topic_id"]),
                partitions=tuple(sorted(_led(topic["partitions"]))),
            )
            for topic in found
            if topic["error_code"] == 0 and not topic["is_internal"]
        ]


def _led(partitions: list[dict[str, Any]]) -> list[int]:
    return [part["partition_index"] for part in partitions if part["leader_id"] >= 0]
