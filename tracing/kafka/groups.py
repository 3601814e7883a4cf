"""The consumer groups of a cluster: members, what they hold, and how far they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from tracing.kafka.admin import AdminConnection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_GROUPS = 500
MAX_MEMBERS = 200
MAX_PARTITIONS = 2_000
_LATEST, _EARLIEST = -1, -2
_BATCH = 50

Number = tuple[str, int]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a group and the partitions that it was given.

    Empty: it is idle. None: the cluster does not say, or a rebalance has not yet decided.
    """

    id: str
    client: str
    host: str
    partitions: tuple[Number, ...] | None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group as the cluster describes it now. `error` says why a part is missing.

    `committed` is the next offset that the group would read, by partition.
    """

    name: str
    state: str
    assignor: str = ""
    members: tuple[Member, ...] = ()
    committed: dict[Number, int] = {}
    error: str = ""


class TopicSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long a topic keeps its records; None where the broker does not say.

    `dead_letters`: share groups may write what they give up to it (KIP-1191).
    """

    retention_ms: int | None
    retention_bytes: int | None
    cleanup: str
    dead_letters: bool = False


class _Admin(KafkaAdminClient):  # type: ignore[misc]
    """An admin client that does not read which operations we were allowed.

    Nothing here uses them, and the embedded broker sends numbers that the client refuses.
    """

    def _process_acl_operations(self, obj: Any) -> Any:
        return obj


class GroupReader(AdminConnection):
    """Asks a cluster about groups and offsets. Every method raises BrokerUnavailableError."""

    client = _Admin
    # A reply that the client cannot read is no better than none.
    failures = (KafkaError, ValueError, KeyError)

    def groups(self, *, budget_s: float) -> list[Group]:
        """Return the consumer groups by name, at most `MAX_GROUPS`.

        Stops asking when the time is over: the rest is left out, and comes when there is less.
        """
        until = time.monotonic() + budget_s
        with self._translated():
            listed = self._admin.list_groups()
        states = {
            row["group_id"]: str(row.get("group_state") or "")
            for row in listed
            if row.get("protocol_type") in {"consumer", ""}
        }
        names = sorted(states)[:MAX_GROUPS]
        found: list[Group] = []
        for start in range(0, len(names), _BATCH):
            if time.monotonic() > until:
                break
            batch = names[start : start + _BATCH]
            with self._translated():
                committed = self._committed(batch)
                described = self._described(batch)
            found += [
                _group(name, states[name], described.get(name), committed.get(name, {}))
                for name in batch
            ]
        return found

    def ends(self, partitions: Iterable[Number]) -> dict[Number, int]:
        """Return the broker's high watermark of partitions that exist."""
        return self._offsets(partitions, _LATEST)

    def begins(self, partitions: Iterable[Number]) -> dict[Number, int]:
        """Return the broker's first offset of partitions that exist."""
        return self._offsets(partitions, _EARLIEST)

    def settings(self, topics: Sequence[str]) -> dict[str, TopicSettings]:
        """Return what the broker says of its topics' retention and purpose."""
        if not topics:
            return {}
        with self._translated():
            answer = self._admin.describe_configs(
                [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics],
                config_filter="all",
            )
        found = {}
        for topic, config in answer.get("topic", {}).items():
            values = {name: entry.get("value") for name, entry in config.items()}
            found[topic] = TopicSettings(
                retention_ms=_integer(values.get("retention.ms")),
                retention_bytes=_integer(values.get("retention.bytes")),
                cleanup=str(values.get("cleanup.policy") or "")[:50],
                dead_letters=values.get("errors.deadletterqueue.group.enable") == "true",
            )
        return found

    def _committed(self, names: Sequence[str]) -> dict[str, dict[Number, int]]:
        answer = self._admin.list_group_offsets(dict.fromkeys(names))
        return {
            name: {
                (place.topic, place.partition): value.offset
                for place, value in sorted(offsets.items())[:MAX_PARTITIONS]
                if value.offset >= 0
            }
            for name, offsets in answer.items()
        }

    def _described(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self._admin.describe_groups(list(names))
        return found

    def _offsets(self, partitions: Iterable[Number], spec: int) -> dict[Number, int]:
        wanted = {TopicPartition(*place): spec for place in partitions}
        if not wanted:
            return {}
        with self._translated():
            found = self._admin.list_partition_offsets(wanted)
        return {(place.topic, place.partition): value.offset for place, value in found.items()}


def _group(
    name: str, state: str, described: dict[str, Any] | None, committed: dict[Number, int]
) -> Group:
    if described is None or described.get("error"):
        error = "" if described is None else str(described["error"])
        return Group(name=name, state=state, committed=committed, error=error)
    members = tuple(_member(one) for one in described["members"][:MAX_MEMBERS])
    return Group(
        name=name,
        # Brokers that do not know the state when they list it say it when they describe.
        state=str(described.get("group_state") or state),
        assignor=str(described.get("protocol_data") or ""),
        members=members,
        committed=committed,
    )


def _member(one: dict[str, Any]) -> Member:
    partitions: list[Number] | None = None
    assignment = one.get("member_assignment")
    if isinstance(assignment, dict):
        given = assignment.get("assigned_partitions") or ()
        partitions = [(part["topic"], number) for part in given for number in part["partitions"]]
    return Member(
        id=str(one.get("member_id") or ""),
        client=str(one.get("client_id") or ""),
        host=str(one.get("client_host") or "").lstrip("/"),
        partitions=None if partitions is None else tuple(sorted(partitions)[:MAX_PARTITIONS]),
    )


def _integer(text: object) -> int | None:
    try:
        return int(str(text))
    except ValueError:
        return None
