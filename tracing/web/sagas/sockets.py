"""The live pages of sagas: `/live/sagas` and `/live/saga?id=`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracing.domain.text import clean
from tracing.projections.saga_listing import parse_filter
from tracing.web.sagas import listing, present
from tracing.web.socket import LiveSocket
from tracing.web.topics.sockets import TopicsSocket

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tracing.projections.reading import Change


class SagasSocket(TopicsSocket):
    """Sends the sagas anew once a second, if they differ: the clock alone makes some overdue."""

    async def connect(self) -> None:
        """Read the filter."""
        self.wanted = parse_filter(self.parameters)
        await super().connect()

    def subscription(self) -> Hashable:
        """Return the filter."""
        return ("sagas", self.wanted)

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return the sagas."""
        return listing.fragment(self.wanted)

    def render_clock(self) -> str:
        """Return the sagas."""
        return listing.fragment(self.wanted)


class SagaSocket(LiveSocket):
    """Sends one saga as a whole: at once when its flow moves, and when the clock tells more.

    An event of another flow (by a business key) and a timeout that passes are seen by the clock.
    """

    clock_s = 1

    async def connect(self) -> None:
        """Read which saga, its flow, and from which step on a long one is open."""
        self.saga_id = clean(self.parameters.get("id", ""), 40)
        self.flow = clean(self.parameters.get("flow", ""))
        step = self.number("step")
        self.opened = step if step is not None and step < 10_000 else None
        self._looks = ""
        await super().connect()

    def subscription(self) -> Hashable:
        """Return the saga."""
        return ("saga", self.saga_id, self.flow, self.opened)

    def matches(self, change: Change) -> bool:
        """Tell whether an event of the saga's flow came."""
        return change.correlation_id == self.flow

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return the saga."""
        return present.fragments(self.saga_id, self.opened)

    def render_changes(self, changes: list[Change]) -> str:  # noqa: ARG002
        """Return the saga."""
        return present.fragments(self.saga_id, self.opened)

    async def by_clock(self) -> str:
        """Return the saga, drawn now, if it changed since this page looked, by event or clock."""
        asked = self.subscription()
        key = (asked, "looks", int(time.time()) // self.clock_s)
        looks = await self.shared(key, lambda: self.work(lambda: present.looks(self.saga_id)))
        if looks == self._looks:
            return ""
        self._looks = looks
        return await self.shared(
            (asked, "looking", looks), lambda: self.work(lambda: self.render_state(self.position))
        )
