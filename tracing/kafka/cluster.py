"""Facts about a cluster: which topics and partitions it has."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import msgspec
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from tracing.domain.errors import BrokerUnavailableError
from tracing.kafka.connection import PLAINTEXT, Security
from tracing.kafka.welcome import check_welcome

if TYPE_CHECKING:
    from collections.abc import Sequence


class TopicPartitions(msgspec.Struct, frozen=True):
    """A topic as it exists now: made anew under the same name, it has another UUID."""

    name: str
    uuid: str
    partitions: tuple[int, ...]


class Cluster:
    """Asks the cluster about itself. Every method raises BrokerUnavailableError."""

    def __init__(
        self,
        servers: Sequence[str],
        security: Security = PLAINTEXT,
        *,
        timeout_ms: int = 5_000,
    ) -> None:
        """Connect. Raises BrokerRefusedError when the broker does not let us in."""
        self._servers = ", ".join(servers)
        check_welcome(servers, security, timeout_ms=timeout_ms)
        with self._translated():
            self._admin = KafkaAdminClient(
                bootstrap_servers=list(servers),
                bootstrap_timeout_ms=timeout_ms,
                request_timeout_ms=timeout_ms,
                client_id="eventviz",
                **security.options(),
            )

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

    def close(self) -> None:
        """Disconnect."""
        with contextlib.suppress(KafkaError):
            self._admin.close()

    @contextlib.contextmanager
    def _translated(self) -> Any:
        try:
            yield
        except KafkaError as error:
            raise BrokerUnavailableError(f"{self._servers}: {error}") from error


def _led(partitions: list[dict[str, Any]]) -> list[int]:
    return [part["partition_index"] for part in partitions if part["leader_id"] >= 0]
