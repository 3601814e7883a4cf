"""What the shop's page shows of an order; the page and its socket draw the same."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from tracing.demo.status import order_status
from tracing.projections import reading
from tracing.web.address import flow_url
from tracing.web.context import now_ms
from tracing.web.flow.present import fragment_context

SOCKET: Final = "/live/order"


def order_context(correlation_id: str, *, order_id: str = "") -> dict[str, Any]:
    """Return an order's status and flow. Before its first event is stored it is pending.

    `order_id` is what the address says until the flow's own key is known.
    """
    detail = reading.read_flow(correlation_id)
    page = flow_url(correlation_id)
    context: dict[str, Any] = {"detail": None, "cards": [], "outline": [], "default_id": ""}
    if detail:
        context = fragment_context(detail, now_ms=now_ms(), base=page)
    events = [item.event for item in detail.events] if detail else []
    return context | {
        "order": order_status(events),
        "order_id": (detail.line.key if detail else None) or order_id or "Your order",
        "correlation_id": correlation_id,
        "flow_page": page,
        "socket": f"{SOCKET}?{urlencode({'id': correlation_id})}",
    }
