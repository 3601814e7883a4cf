"""The live Topics pages: `/live/topics` and `/live/topic?name=<topic>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.domain.text import clean
from tracing.web.socket import LiveSocket
from tracing.web.topics import present

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tracing.projections.reading import Change


class TopicsSocket(LiveSocket):
    """Sends the topics anew once a second, if they differ: ingestors report as often."""

    clock_s = 1

    def subscription(self) -> Hashable:
        """Return the page: it has no parameters."""
        return "topics"

    def matches(self, change: Change) -> bool:  # noqa: ARG002
        """Take no change: positions are looked at by the clock, whatever the traffic."""
        return False

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return all topics."""
        return present.overview_fragment()

    def render_changes(self, changes: list[Change]) -> str:  # noqa: ARG002
        """Return nothing: no change is taken."""
        return ""

    def render_clock(self) -> str:
        """Return all topics."""
        return present.overview_fragment()


class TopicSocket(TopicsSocket):
    """Sends one topic with its partitions."""

    async def connect(self) -> None:
        """Read which topic."""
        self.name = clean(self.parameters.get("name", ""))
        await super().connect()

    def subscription(self) -> Hashable:
        """Return the topic."""
        return ("topic", self.name)

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return the topic."""
        return present.detail_fragment(self.name)

    def render_clock(self) -> str:
        """Return the topic."""
        return present.detail_fragment(self.name)
