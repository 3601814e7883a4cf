"""The live pages of dead letters: the inbox, a group, a message, what is in retry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.domain.text import clean
from tracing.projections.dead_letter_reading import parse_filter
from tracing.web.dead_letters import present
from tracing.web.dead_letters.message import way_fragment
from tracing.web.topics.sockets import TopicsSocket

if TYPE_CHECKING:
    from collections.abc import Hashable


class DeadLettersSocket(TopicsSocket):
    """Sends the groups anew once a second, if they differ: decisions change them too."""

    async def connect(self) -> None:
        """Read the filter."""
        self.wanted = parse_filter(self.parameters)
        await super().connect()

    def subscription(self) -> Hashable:
        """Return the filter."""
        return ("dead-letters", self.wanted)

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return the groups."""
        return present.inbox_fragment(self.wanted)

    def render_clock(self) -> str:
        """Return the groups."""
        return present.inbox_fragment(self.wanted)


class DeadLetterSocket(TopicsSocket):
    """Sends one group with its newest messages."""

    async def connect(self) -> None:
        """Read which group."""
        self.key = clean(self.parameters.get("group", ""), 20)
        await super().connect()

    def subscription(self) -> Hashable:
        """Return the group."""
        return ("dead-letter", self.key)

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return the group."""
        return present.group_fragment(self.key)

    def render_clock(self) -> str:
        """Return the group."""
        return present.group_fragment(self.key)


class DeadMessageSocket(TopicsSocket):
    """Sends what became of one message: its attempts, its retries, its flow."""

    async def connect(self) -> None:
        """Read which message."""
        self.key = clean(self.parameters.get("group", ""), 20)
        number = self.parameters.get("record", "")
        self.record = int(number) if number.isdecimal() and len(number) < 19 else 0
        await super().connect()

    def subscription(self) -> Hashable:
        """Return the message."""
        return ("dead-message", self.key, self.record)

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return what became of it."""
        return way_fragment(self.key, self.record)

    def render_clock(self) -> str:
        """Return what became of it."""
        return way_fragment(self.key, self.record)


class InRetrySocket(TopicsSocket):
    """Sends what waits in retry topics."""

    def subscription(self) -> Hashable:
        """Return the page: it has no parameters."""
        return "in-retry"

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return what waits."""
        return present.waiting_fragment()

    def render_clock(self) -> str:
        """Return what waits."""
        return present.waiting_fragment()
