"""What the shop's page shows of an order; the page and its socket draw the same."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from tracing.demo.status import order_status
from tracing.projections import reading
from tracing.web.address import flow_url
from tracing.web.context import ingest_state, now_ms
from tracing.web.flow.present import fragment_context

SOCKET: Final = "/live/order"
# What is said of an order whose first event is not stored yet, by the state of the ingest.
SOON: Final = "The order is in Kafka; the services will see it any moment."
WAITING: Final = {
    "stopped": "The order is in Kafka. Nothing reads it while ingest is not running.",
    "away": "The order was given to Kafka. It shows up here when ingest reaches the broker again.",
    "behind": "The order is in Kafka. It shows up here when ingest has caught up.",
}


def order_context(correlation_id: str, *, order_id: str = "") -> dict[str, Any]:
    """Return an order's status and flow. Before its first event is stored it is pending.

    `order_id` is what the address says until the flow's own key is known.
    """
    detail = reading.read_flow(correlation_id)
    page = flow_url(correlation_id)
    context: dict[str, Any] = {"detail": None, "cards": [], "outline": [], "default_id": ""}
    if detail is None:
        context["waiting"] = WAITING.get(ingest_state().tone, SOON)
    else:
        context = fragment_context(detail, now_ms=now_ms(), base=page)
    events = [item.event for item in detail.events] if detail else []
    return context | {
        "order": order_status(events),
        "order_id": (detail.line.key if detail else None) or order_id or "Your order",
        "correlation_id": correlation_id,
        "flow_page": page,
        "socket": f"{SOCKET}?{urlencode({'id': correlation_id})}",
    }
