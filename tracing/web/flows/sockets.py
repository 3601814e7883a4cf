"""The live flow list: `/live/flows?<the list's filters>&after=<position>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.safestring import SafeString

from tracing.projections import reading
from tracing.schemas.unregistered import flows_that_name_unregistered
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
    turn = 1

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

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return the list's first page."""
        return present.state(self.asked, now_ms=now_ms())

    async def drawn(self, window: list[Change], to: int) -> str:
        """Return the rows of the flows that a window touched, the newest ones, and the totals.

        A row is drawn once for each change of its flow, wherever the lists stand that show it.
        """
        last = {change.flow: change.position for change in window}
        flows = {last[flow]: flow for flow in sorted(last, reverse=True)[:MAX_ROWS]}

        async def draw(positions: list[int]) -> dict[int, str]:
            wanted = {flows[position]: position for position in positions}
            return await self.work(lambda: self._rows(wanted))

        kind = (self.subscription(), self.epoch)
        rows = await self.follower.pieces.get(kind, list(flows), draw)
        key = (self.subscription(), "totals", self.epoch, to)
        totals = await self.shared(key, lambda: self.work(self.render_clock))
        return present.frame(SafeString(rows), SafeString(totals))

    def _rows(self, positions: dict[int, int]) -> dict[int, str]:
        """Return the row of each of these flows by the position that stands beside it."""
        now, wanted = now_ms(), self.asked.filter(now_ms())
        lines = reading.flow_lines(positions)
        unknown = flows_that_name_unregistered(lines)
        rows = present.draw(lines, now_ms=now, wanted=wanted, unknown=unknown)
        return {positions[line.id]: row for line, row in zip(lines, rows, strict=True)}

    def render_clock(self) -> str:
        """Return the totals: flows become quiet by themselves."""
        return present.totals_fragment(self.asked, now_ms=now_ms())
