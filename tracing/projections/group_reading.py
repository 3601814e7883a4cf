"""The users' consumer groups, from the last snapshot of the cluster."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from tracing.models import ConsumerGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_GROUPS = 500
# A snapshot is taken every five seconds.
STALE_AFTER_S = 30
# A lag grows when it never fell over so many snapshots, and more than a burst came on top.
GROWS_OVER = 6
GROWS_BY = 50
Number = tuple[str, int]


class MemberLine(msgspec.Struct, frozen=True, kw_only=True):
    """A member and its partitions by topic; `partitions` is None where the cluster is silent."""

    id: str
    client: str
    host: str
    partitions: dict[str, tuple[int, ...]] | None

    @property
    def is_idle(self) -> bool:
        """Tell whether it was given nothing."""
        return self.partitions is not None and not self.partitions


class OffsetLine(msgspec.Struct, frozen=True, kw_only=True):
    """How far a group is in one partition; `end` is None when the partition is gone."""

    topic: str
    number: int
    committed: int
    end: int | None
    member: str

    @property
    def lag(self) -> int:
        """Return how many records it has not committed."""
        return 0 if self.end is None else max(self.end - self.committed, 0)


class GroupLine(msgspec.Struct, frozen=True, kw_only=True):
    """A group; `lags` are the last sums of lag, the newest last. `gone`: not seen lately."""

    name: str
    state: str
    assignor: str
    members: tuple[MemberLine, ...]
    offsets: tuple[OffsetLine, ...]
    lag: int
    lags: tuple[int, ...]
    grows: bool
    gone: bool
    error: str
    looked_at: dt.datetime

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the topics that it reads."""
        return tuple(sorted({line.topic for line in self.offsets}))

    @property
    def idle(self) -> int:
        """Return how many members were given nothing."""
        return sum(member.is_idle for member in self.members)


def read_groups(now: dt.datetime) -> list[GroupLine]:
    """Return all groups: those that need attention first, then by name. One query."""
    lines = [_line(row, now) for row in ConsumerGroup.objects.order_by("name")[:MAX_GROUPS]]
    return sorted(lines, key=lambda line: (not line.grows, line.gone, line.name))


def read_group(name: str, now: dt.datetime) -> GroupLine | None:
    """Return one group, None when it is not known."""
    row = ConsumerGroup.objects.filter(name=name).first()
    return None if row is None else _line(row, now)


def grows(lags: Sequence[int]) -> bool:
    """Tell whether a lag never fell over the last snapshots and rose by more than a burst."""
    last = list(lags)[-GROWS_OVER:]
    if len(last) < GROWS_OVER:
        return False
    return last[-1] - last[0] >= GROWS_BY and all(
        before <= after for before, after in itertools.pairwise(last)
    )


def _line(row: ConsumerGroup, now: dt.datetime) -> GroupLine:
    lags = tuple(lag for _, lag in row.lags)
    members = tuple(_member(*one) for one in row.members)
    holders = {
        (topic, number): member.client or member.id
        for member in members
        for topic, numbers in (member.partitions or {}).items()
        for number in numbers
    }
    return GroupLine(
        name=row.name,
        state=row.state,
        assignor=row.assignor,
        members=members,
        offsets=tuple(
            OffsetLine(
                topic=topic,
                number=number,
                committed=committed,
                end=end,
                member=holders.get((topic, number), ""),
            )
            for topic, number, committed, end in row.offsets
        ),
        lag=row.lag,
        lags=lags,
        grows=grows(lags),
        gone=row.looked_at < now - dt.timedelta(seconds=STALE_AFTER_S),
        error=row.error,
        looked_at=row.looked_at,
    )


def _member(
    member_id: str, client: str, host: str, partitions: list[tuple[str, int]] | None
) -> MemberLine:
    held: dict[str, list[int]] = defaultdict(list)
    for topic, number in partitions or ():
        held[topic].append(number)
    by_topic = {topic: tuple(numbers) for topic, numbers in sorted(held.items())}
    return MemberLine(
        id=member_id,
        client=client,
        host=host,
        partitions=None if partitions is None else by_topic,
    )
