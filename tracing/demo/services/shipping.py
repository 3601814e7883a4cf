"""The shipping service hands a paid order to a carrier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tracing.demo.service import Reply, Service
from tracing.demo.services.common import about, work_s

if TYPE_CHECKING:
    from tracing.demo.publishing import ShopEvent


def ship(event: ShopEvent) -> Reply:
    """Order the parcel and get its tracking number."""
    return Reply(
        event_type="ShipmentCreated",
        payload={
            **about(event, "amount", "currency"),
            "carrier": "Northwind Express",
            "trackingNumber": f"NW{event.event_id[:8].upper()}",
        },
        after_s=work_s(0.04, 0.12),
    )


SHIPPING: Final = Service(
    "shipping", {"PaymentProcessed": ship}, tells={"PaymentProcessed": ("ShipmentCreated",)}
)
