"""The live flow list: `/live/flows?<the list's filters>&after=<position>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.projections import reading
from tracing.web.context import now_ms
from tracing.web.flows import filters, present
from tracing.web.query import BadTimeError
from tracing.web.socket import LiveSocket

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tracing.projections.reading import Change

# More rows than a page shows are never seen; the newest come first.
MAX_ROWS = 200


class FlowsSocket(LiveSocket):
    """Sends the rows of flows that changed, and the totals."""

    clock_s = 5

    async def connect(self) -> None:
        """Read the filters; what the page would refuse is left out."""
        try:
            self.asked = filters.parse(self.parameters)
        except BadTimeError:
            self.asked = filters.parse({})
        await super().connect()

    def subscription(self) -> Hashable:
        """Return the filters."""
        return ("flows", *self.asked.given.items())

    def matches(self, change: Change) -> bool:  # noqa: ARG002
        """Take every change: whether its flow is shown depends on all of the flow's events."""
        return True

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return the list's first page."""
        return present.state(self.asked, now_ms=now_ms())

    def render_changes(self, changes: list[Change]) -> str:
        """Return the rows of the flows that these changes touched."""
        flow_ids = sorted({change.flow for change in changes})[-MAX_ROWS:]
        return present.updates(reading.flow_lines(flow_ids), self.asked, now_ms=now_ms())

    def render_clock(self) -> str:
        """Return the totals: flows become quiet by themselves."""
        return present.totals_fragment(self.asked, now_ms=now_ms())
