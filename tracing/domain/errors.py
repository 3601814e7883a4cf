"""One class per failure; its docstring is its message."""

from __future__ import annotations


class EventvizError(Exception):
    """Something in eventviz failed."""

    def __init__(self, detail: str = "") -> None:
        """Say the class's own sentence, then the detail."""
        sentence = (type(self).__doc__ or "").strip()
        super().__init__(f"{sentence} {detail}".strip())

    @property
    def sentence(self) -> str:
        """Return it with a full stop, so that another sentence may follow."""
        return f"{str(self).rstrip('.')}."


class DecodeError(EventvizError):
    """The record cannot be decoded."""

    def __init__(self, reason: str) -> None:
        """Keep the bare reason: it is stored and shown beside the record."""
        super().__init__(reason)
        self.reason = reason


class CheckpointMovedError(EventvizError):
    """Another ingestor has stored records of this partition meanwhile."""


class BrokerUnavailableError(EventvizError):
    """The Kafka broker does not answer."""


class BrokerRefusedError(BrokerUnavailableError):
    """The Kafka broker does not let us in."""
