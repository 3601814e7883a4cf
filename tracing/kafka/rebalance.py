"""What the client is told of when the group gives partitions to somebody else."""

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
