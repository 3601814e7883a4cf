"""The socket of the shop's page: one order's status and its growing graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.template.loader import render_to_string

from tracing.demo.present import order_context
from tracing.domain.text import clean
from tracing.web.socket import LiveSocket

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tracing.projections.reading import Change


class OrderSocket(LiveSocket):
    """`/live/order?id=<correlation id>`; without an id it keeps the page's frame fresh."""

    clock_s = 1

    @property
    def flow(self) -> str:
        """Return the correlation id that the page asked for."""
        return clean(self.parameters.get("id", ""))

    def subscription(self) -> Hashable:
        """Return the order."""
        return ("order", self.flow)

    def matches(self, change: Change) -> bool:
        """Tell whether something of this order happened."""
        return change.correlation_id == self.flow

    def render_state(self, position: int) -> str:  # noqa: ARG002
        """Return the status and the graph."""
        if not self.flow:
            return ""
        context = order_context(self.flow)
        if context["detail"] is None:
            # The page shows it as pending already, under the number that the visitor got.
            return ""
        return render_to_string("tracing/partials/_shop_order.html", context | {"oob": True})

    def render_changes(self, changes: list[Change]) -> str:  # noqa: ARG002
        """Return the same: an order has few events."""
        return self.render_state(self.position)

    def render_clock(self) -> str:
        """Return what the order waits for, as long as nothing of it is stored."""
        context = order_context(self.flow) if self.flow else {"detail": self.flow}
        if context["detail"] is not None:
            # From here on only changes count.
            self.clock_s = 0
            return ""
        return render_to_string("tracing/partials/_shop_told.html", context | {"oob": True})
