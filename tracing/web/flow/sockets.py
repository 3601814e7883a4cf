"""A live flow: `/live/flow?id=<correlation id>&after=<position>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.domain.derive import State
from tracing.domain.text import clean
from tracing.projections import reading
from tracing.projections.flow_reading import QUIET_AFTER_MS
from tracing.web.context import now_ms
from tracing.web.flow import present
from tracing.web.socket import LiveSocket

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tracing.projections.reading import Change


class FlowSocket(LiveSocket):
    """Sends the flow as a whole whenever an event joins it; also one that does not exist yet."""

    clock_s = 5

    async def connect(self) -> None:
        """Read the id."""
        self.correlation_id = clean(self.parameters.get("id", ""))
        await super().connect()

    def subscription(self) -> Hashable:
        """Return the id."""
        return ("flow", self.correlation_id)

    def matches(self, change: Change) -> bool:
        """Tell whether an event of this flow came."""
        return change.correlation_id == self.correlation_id

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return head, graph and list; nothing while there is no such flow."""
        detail = reading.read_flow(self.correlation_id)
        return "" if detail is None else present.flow_fragments(detail, now_ms=now_ms())

    def render_changes(self, changes: list[Change]) -> str:  # noqa: ARG002
        """Return the same: a graph is laid out as a whole."""
        return self.render_state(self.position)

    def render_clock(self) -> str:
        """Return the head once the flow has grown quiet: no event says so."""
        detail = reading.read_flow(self.correlation_id)
        if detail is None or detail.line.state is not State.OPEN:
            return ""
        now = now_ms()
        quiet_ms = now - detail.line.last_ms - QUIET_AFTER_MS
        just_now = 0 <= quiet_ms < 2_000 * self.clock_s
        return present.head_fragment(detail, now_ms=now) if just_now else ""
