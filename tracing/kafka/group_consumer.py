"""Read topics as a member of a consumer group, and commit what has been dealt with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from tracing.domain.errors import BrokerUnavailableError
from tracing.domain.record import Record
from tracing.kafka import sockets
from tracing.kafka.connection import PLAINTEXT, Security
from tracing.kafka.rebalance import keep_joining

if TYPE_CHECKING:
    from collections.abc import Sequence

CLOSE_TIMEOUT_MS = 1_000
# The group has gone on without us, or does so right now.
_MOVED = (
    CommitFailedError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)


class GroupConsumer:
    """At least once: a record counts as read when `done` was called for it, in any order."""

    def __init__(
        self,
        servers: Sequence[str],
        security: Security = PLAINTEXT,
        *,
        group: str,
        topics: Sequence[str],
        session_timeout_ms: int = 10_000,
        fetch_max_wait_ms: int = 500,
        commit_every_s: float = 1.0,
        timeout_ms: int = 10_000,
    ) -> None:
        """Connect and subscribe. Raises BrokerUnavailableError within `timeout_ms`."""
        self._commit_every_s = commit_every_s
        self._timeout_ms = timeout_ms
        self._committed_at = time.monotonic()
        self._open: dict[TopicPartition, set[int]] = {}
        self._next: dict[TopicPartition, int] = {}
        sockets.install()
        try:
            self._client = KafkaConsumer(
                *topics,
                bootstrap_servers=list(servers),
                bootstrap_timeout_ms=timeout_ms,
                client_id=group,
                group_id=group,
                session_timeout_ms=session_timeout_ms,
                heartbeat_interval_ms=session_timeout_ms // 4,
                fetch_max_wait_ms=fetch_max_wait_ms,
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                **security.options(),
            )
        except KafkaError as error:
            raise BrokerUnavailableError(", ".join(servers)) from error

    def poll(self, timeout_ms: int) -> list[Record]:
        """Return what has come, after `timeout_ms` at most. Raises BrokerUnavailableError."""
        try:
            # In this order: what was fetched is not lost when the commit fails.
            self._commit_if_due()
            keep_joining(self._client)
            batches = self._client.poll(timeout_ms=timeout_ms)
        except KafkaError as error:
            reason = str(error.args[0]) if error.args and error.args[0] else ""
            raise BrokerUnavailableError(reason) from error
        found = []
        for partition, rows in batches.items():
            self._open.setdefault(partition, set()).update(row.offset for row in rows)
            self._next[partition] = rows[-1].offset + 1
            found += [
                Record(
                    topic=row.topic,
                    partition=row.partition,
                    offset=row.offset,
                    timestamp_ms=row.timestamp,
                    key=row.key,
                    value=row.value,
                    headers=tuple(row.headers),
                    value_length=len(row.value or b""),
                )
                for row in rows
            ]
        return found

    def has_joined(self) -> bool:
        """Tell whether the group has given this member its partitions."""
        return bool(self._client.assignment())

    def done(self, record: Record) -> None:
        """Say that the record has been dealt with: the group need not see it again."""
        partition = TopicPartition(record.topic, record.partition)
        self._open.get(partition, set()).discard(record.offset)

    def close(self) -> None:
        """Commit and leave the group, so that its partitions are free at once."""
        try:
            self._commit(CLOSE_TIMEOUT_MS)
            self._client.close(autocommit=False, timeout_ms=CLOSE_TIMEOUT_MS)
        except KafkaError:
            # The broker is gone: there is nothing to leave.
            self._client.close(autocommit=False, timeout_ms=0)

    def _commit_if_due(self) -> None:
        if time.monotonic() - self._committed_at >= self._commit_every_s:
            self._committed_at = time.monotonic()
            self._commit(self._timeout_ms)

    def _commit(self, timeout_ms: int) -> None:
        # A partition that moved to another member is that member's to commit.
        for lost in self._next.keys() - self._client.assignment():
            del self._next[lost]
            self._open.pop(lost, None)
        offsets = {
            partition: OffsetAndMetadata(min(self._open[partition], default=following), "", -1)
            for partition, following in self._next.items()
        }
        if not offsets:
            return
        try:
            self._client.commit(offsets, timeout_ms=timeout_ms)
        except _MOVED:
            # Somebody else reads these partitions now, from the last commit on.
            self._open.clear()
            self._next.clear()
