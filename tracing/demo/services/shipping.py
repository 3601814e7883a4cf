"""The shipping service hands a paid order to a carrier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tracing.demo.scenarios import Scenario, scenario_of
from tracing.demo.service import Reply, Service
from tracing.demo.services.common import about, work_s

if TYPE_CHECKING:
    from tracing.demo.publishing import ShopEvent


def ship(event: ShopEvent) -> Reply | None:
    """Order the parcel and get its tracking number, unless no carrier takes it, or none answers."""
    scenario = scenario_of(event.payload)
    if scenario is Scenario.SHIPMENT_HANGS:
        return None
    if scenario in {Scenario.SHIPMENT_FAILED, Scenario.REFUND_FAILS}:
        return Reply(
            event_type="ShipmentFailed",
            payload=about(event, "amount", "currency", reason="no_carrier"),
            after_s=work_s(0.1, 0.3),
        )
    return Reply(
        event_type="ShipmentCreated",
        payload=about(
            event,
            "amount",
            "currency",
            carrier="Northwind Express",
            trackingNumber=f"NW{event.event_id[:8].upper()}",
        ),
        after_s=work_s(0.04, 0.12),
    )


SHIPPING: Final = Service(
    "shipping",
    {"PaymentProcessed": ship, "CreateShipment": ship},
    tells={
        "PaymentProcessed": ("ShipmentCreated", "ShipmentFailed"),
        "CreateShipment": ("ShipmentCreated", "ShipmentFailed"),
    },
)
