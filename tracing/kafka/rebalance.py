"""What happens when the group gives partitions to somebody else."""

from __future__ import annotations

from typing import Any

from kafka import ConsumerRebalanceListener


class Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]
    """Only sets a flag: it runs on the client's own thread, between two heartbeats.

    New partitions have no position yet and must not ask the group for one, so they are sought
    and held until the reader has looked at its checkpoints.
    """

    def __init__(self) -> None:
        """Begin with nothing noted; the client is set once it exists."""
        self.happened = False
        self.client: Any = None

    def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ARG002
        """Note it."""
        self.happened = True

    def on_partitions_lost(self, lost: Any) -> None:  # noqa: ARG002
        """Note it."""
        self.happened = True

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Note it, and hold the new partitions."""
        self.happened = True
        for partition in assigned:
            self.client.seek(partition, 0)
        self.client.pause(*assigned)


# So long a poll stays with a join at most before its caller may look after other things.
_JOIN_WAIT_MS = 1_000


def keep_joining(client: Any) -> None:
    """Go on with a join that a poll has begun and not ended; call before each poll.

    kafka-python 3.0.12 forgets it where topics came or went: what made it join again (another
    subscription, other metadata) is settled as soon as the request is on its way, so that the next
    poll takes the member for joined. It then sends no heartbeats, and the group expels it for good.
    And it throws away a join that ended between two polls, hence the longer wait.
    Raises KafkaError.
    """
    coordinator = client._coordinator  # noqa: SLF001
    if coordinator.rejoining:
        coordinator.request_rejoin()
        coordinator.ensure_active_group(timeout_ms=_JOIN_WAIT_MS)
