"""The order service ends what the customer began: completed, or cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tracing.demo.service import Reply, Service
from tracing.demo.services.common import about, work_s

if TYPE_CHECKING:
    from tracing.demo.publishing import ShopEvent


def complete(event: ShopEvent) -> Reply:
    """Close an order that is on its way."""
    return Reply(
        event_type="OrderCompleted",
        payload=about(event, "amount", "currency", "trackingNumber", status="completed"),
        after_s=work_s(0.2, 0.4),
    )


def cancel(event: ShopEvent) -> Reply:
    """Cancel an order, for the reason that the failed step gave."""
    return Reply(
        event_type="OrderCancelled",
        payload=about(event, "reason", status="cancelled"),
        after_s=work_s(0.01, 0.03),
    )


def cancel_if_nothing_is_held(event: ShopEvent) -> Reply | None:
    """Cancel at once where no stock waits to be released; else StockReleased will come."""
    return None if event.payload.get("reserved") else cancel(event)


ORDER: Final = Service(
    "order",
    {
        "ShipmentCreated": complete,
        "StockReservationFailed": cancel_if_nothing_is_held,
        "StockReleased": cancel,
        "CancelOrder": cancel,
    },
    tells={
        "ShipmentCreated": ("OrderCompleted",),
        "StockReservationFailed": ("OrderCancelled",),
        "StockReleased": ("OrderCancelled",),
        "CancelOrder": ("OrderCancelled",),
    },
    begins="OrderPlaced",
)
