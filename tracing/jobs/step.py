"""What a time-driven step is."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Step(ABC):
    """A small piece of work that is done again and again by one process at a time.

    `name` is that of its lease. `every_s` is the rest between two runs that found nothing to do.
    `lease_s` is how long another process waits for one that died in the middle: longer than any
    run takes. A run that outlives it may be doubled, so what a step writes must bear that.
    """

    name: str
    every_s: float = 1.0
    lease_s: float = 60.0

    def wanted(self) -> bool:
        """Tell cheaply, by reading alone, whether there may be work; asked before the lease."""
        return True

    @abstractmethod
    def run(self) -> bool:
        """Do a small part of the work, in seconds; return whether there may be more at once."""

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Give back what the step holds: the process ends."""
