"""Read partitions, by hand or as a member of a group, from positions that the caller keeps.

kafka-python's consumer without its deserializers, its automatic commits and its offset resets:
what was read is decided by the checkpoint that lies beside the data.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.errors import KafkaError, OffsetOutOfRangeError

from tracing.domain.errors import BrokerUnavailableError
from tracing.domain.stretch import Records, Stretch
from tracing.kafka import decompression, partition_records, receiving, sockets
from tracing.kafka.connection import PLAINTEXT, Security
from tracing.kafka.partition_records import UNREADABLE, lost, record_of
from tracing.kafka.rebalance import Rebalance, keep_joining

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

log = logging.getLogger(__name__)

# What is waiting comes in so many records at once. Larger batches cost less an event, as each flow
# is read and written once a batch; but they take memory, and while one is stored, others wait.
MAX_POLL_RECORDS = 7_000
# About so many records of usual size: a fetch is a batch, none of two sizes in turns, for which the
# process that prepares and the one that stores would wait in turns.
FETCH_BYTES = 4 * 1024 * 1024
# How long a fetch waits at the broker when nothing is new. Apache Kafka answers as soon as there is
# a record; the embedded broker looks again only after half of this time. A new partition joins
# with the next fetch.
FETCH_WAIT_MS = 50
# A member of the group that says nothing for so long has lost its partitions.
SESSION_TIMEOUT_MS = 10_000
# One that does not poll for so long leaves by itself: the others wait for it in a rebalance.
POLL_INTERVAL_MS = 20_000


class Place(NamedTuple):
    """A partition of a topic, by name."""

    topic: str
    number: int


class Fetched(Records, frozen=True, kw_only=True):
    """What one poll brought of a partition, and the position behind it.

    With `gap`, there are no records because retention has removed them.
    """

    place: Place
    end: int
    gap: bool = False


class LogConsumer:
    """Not thread-safe. Every method raises BrokerUnavailableError when the cluster is away."""

    def __init__(
        self,
        servers: Sequence[str],
        security: Security = PLAINTEXT,
        *,
        group: str,
        max_record_bytes: int,
        timeout_ms: int = 5_000,
    ) -> None:
        """Connect. Raises BrokerUnavailableError within `timeout_ms`."""
        self._servers = ", ".join(servers)
        self._max_record_bytes = max_record_bytes
        self._positions: dict[TopicPartition, int] = {}
        self._rebalance = Rebalance()
        decompression.install()
        sockets.install()
        receiving.install()
        with self._translated():
            self._client = KafkaConsumer(
                bootstrap_servers=list(servers),
                bootstrap_timeout_ms=timeout_ms,
                client_id="eventviz",
                group_id=group,
                enable_auto_commit=False,
                auto_offset_reset="none",
                allow_auto_create_topics=False,
                isolation_level="read_committed",
                max_poll_records=MAX_POLL_RECORDS,
                fetch_max_wait_ms=FETCH_WAIT_MS,
                # A partition may fill an answer: far behind, a batch then holds long stretches of
                # few partitions, in which flows are whole, and each is read and written less often.
                fetch_max_bytes=FETCH_BYTES,
                max_partition_fetch_bytes=FETCH_BYTES,
                reconnect_backoff_max_ms=1_000,
                # Evenly over all topics; by ranges, the first member would get more of each.
                partition_assignment_strategy=[RoundRobinPartitionAssignor],
                session_timeout_ms=SESSION_TIMEOUT_MS,
                max_poll_interval_ms=POLL_INTERVAL_MS,
                heartbeat_interval_ms=SESSION_TIMEOUT_MS // 4,
                **security.options(),
            )
        self._rebalance.client = self._client
        self._tight = partition_records.install(self._client, max_record_bytes)

    def assign(self, positions: Mapping[Place, int]) -> None:
        """Read exactly these partitions, each from its position."""
        self._positions = {TopicPartition(*place): at for place, at in positions.items()}
        self._client.assign(list(self._positions))
        for partition, at in self._positions.items():
            self._client.seek(partition, at)

    def share(self, topics: Sequence[str]) -> None:
        """Take a part of these topics' partitions, as a member of the consumer group.

        What the group gives comes with a later poll; `taken` then tells it once.
        """
        self._client.subscribe(topics=sorted(topics), listener=self._rebalance)

    @property
    def rebalanced(self) -> bool:
        """Tell whether `taken` has something to tell."""
        return self._rebalance.happened

    def taken(self) -> list[Place] | None:
        """Return the partitions that the group gave us, None unless that changed.

        They are paused, and nothing of them is returned, until `go_on`.
        """
        if not self._rebalance.happened:
            return None
        self._rebalance.happened = False
        return [Place(*partition) for partition in self._client.assignment()]

    def go_on(self, positions: Mapping[Place, int]) -> None:
        """Read the partitions that the group gave us, each from its position."""
        mine = self._client.assignment()
        self._positions = {
            partition: at
            for place, at in positions.items()
            if (partition := TopicPartition(*place)) in mine
        }
        for partition, at in self._positions.items():
            self._client.seek(partition, at)
        self._client.resume(*self._positions)

    def poll(self, timeout_ms: int) -> list[Fetched]:
        """Return what is new, after `timeout_ms` at most; partitions without news are left out.

        What cannot be read comes as one record an offset, with `error` and no bytes.
        Where the log begins behind our position (retention), the position moves there.
        """
        try:
            with self._translated():
                keep_joining(self._client)
                batches = self._client.poll(timeout_ms=timeout_ms)
            if self._rebalance.happened:
                # What came may be another member's by now; the checkpoint knows.
                return []
        except OffsetOutOfRangeError as error:
            return self._catch_up(error)
        except UNREADABLE as error:
            return self._quarantine(error)
        return self._fetched(batches)

    def _fetched(self, batches: Mapping[TopicPartition, Sequence[Any]]) -> list[Fetched]:
        found = []
        for partition, before in list(self._positions.items()):
            rows = batches.get(partition, ())
            end = self._client.position(partition)
            # Markers and compacted offsets move the position without a record.
            if end is None or (not rows and end <= before):
                continue
            self._positions[partition] = end
            stretches = [row for row in rows if isinstance(row, Stretch)]
            records = [row for row in rows if not isinstance(row, Stretch)]
            if not self._tight:
                records = [record_of(row, partition, self._max_record_bytes) for row in records]
            found.append(
                Fetched(place=Place(*partition), records=records, stretches=stretches, end=end)
            )
        return found

    def _catch_up(self, error: OffsetOutOfRangeError) -> list[Fetched]:
        """Move partitions whose position the broker no longer has to where their log begins."""
        lost = [part for part in error.args[0] if part in self._positions]
        begins = self._begins(lost)
        found = []
        for partition in lost:
            log.warning(
                "%s[%s]: the records from %s to %s are gone from the broker.",
                *partition,
                self._positions[partition],
                begins[partition],
            )
            self._move(partition, begins[partition])
            found.append(
                Fetched(place=Place(*partition), records=[], end=begins[partition], gap=True)
            )
        return found

    def _quarantine(self, error: Exception) -> list[Fetched]:
        """Return one unreadable offset as a record with its error, and stand behind it.

        Only for the client's own parser, which stops at the batch that it has half read and would
        spin on it for ever; what it fetched of other partitions comes with the next poll. It does
        not tell where a batch ends, so its offsets are given up one by one.
        """
        fetcher = self._client._fetcher  # noqa: SLF001 - there is no public way
        half_read = fetcher._next_partition_records  # noqa: SLF001
        if half_read is None:
            raise BrokerUnavailableError(f"{self._servers}: {error}") from error
        partition = half_read.topic_partition
        # Seeking to where it stands would keep it.
        half_read.drain()
        if partition not in self._positions:
            return []
        offset = self._client.position(partition)
        reason = f"The broker's batch cannot be read: {error}"
        log.warning("%s[%s]@%s: %s", *partition, offset, reason)
        record = lost(partition.topic, partition.partition, offset, reason[:1_000])
        self._move(partition, offset + 1)
        return [Fetched(place=Place(*partition), records=[record], end=offset + 1)]

    def _move(self, partition: TopicPartition, offset: int) -> None:
        self._positions[partition] = offset
        self._client.seek(partition, offset)

    def seek(self, place: Place, offset: int) -> None:
        """Read a partition from this offset on."""
        self._move(TopicPartition(*place), offset)

    def begin(self, places: Sequence[Place]) -> dict[Place, int]:
        """Return the first offset that the broker still has."""
        return {Place(*part): at for part, at in self._begins(_partitions(places)).items()}

    def _begins(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        with self._translated():
            found: dict[TopicPartition, int] = self._client.beginning_offsets(list(partitions))
        return found

    def at_time(self, places: Sequence[Place], timestamp_ms: int) -> dict[Place, int]:
        """Return the first offset at or after a time; the end where nothing is so young."""
        with self._translated():
            found = self._client.offsets_for_times(dict.fromkeys(_partitions(places), timestamp_ms))
        late = [place for place in places if found.get(TopicPartition(*place)) is None]
        ends = self.end(late) if late else {}
        return {
            place: ends[place] if place in ends else found[TopicPartition(*place)].offset
            for place in places
        }

    def end(self, places: Sequence[Place]) -> dict[Place, int]:
        """Return the offset behind the last record."""
        with self._translated():
            found = self._client.end_offsets(_partitions(places))
        return {Place(*part): at for part, at in found.items()}

    def highwater(self) -> dict[Place, int]:
        """Return the ends that came with the fetches, which costs nothing; unknown ones lack."""
        known = {part: self._client.highwater(part) for part in self._positions}
        return {Place(*part): at for part, at in known.items() if at is not None}

    def commit(self, not_stored: Mapping[Place, int]) -> None:
        """Tell the group's offsets to the outside: what was read before `not_stored` begins.

        Our own truth is the checkpoint.
        """
        offsets = {
            part: OffsetAndMetadata(not_stored.get(Place(*part), at), "", -1)
            for part, at in self._positions.items()
        }
        with contextlib.suppress(KafkaError):
            self._client.commit(offsets, timeout_ms=1_000)

    def close(self) -> None:
        """Disconnect."""
        with contextlib.suppress(KafkaError):
            self._client.close(autocommit=False, timeout_ms=1_000)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OffsetOutOfRangeError, *UNREADABLE):
            raise
        except (KafkaError, OSError) as error:
            raise BrokerUnavailableError(f"{self._servers}: {error}") from error
        except KeyError as error:
            # The client's answer leaves out a partition without a leader: a topic being made.
            raise BrokerUnavailableError(f"{error.args[0]} has no leader yet.") from error


def _partitions(places: Sequence[Place]) -> list[TopicPartition]:
    return [TopicPartition(*place) for place in places]
