"""The email service tells the customer that the order came in, and that it is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tracing.demo.scenarios import Scenario, scenario_of
from tracing.demo.service import Reply, Service
from tracing.demo.services.common import about, work_s

if TYPE_CHECKING:
    from tracing.demo.publishing import ShopEvent


def acknowledge(event: ShopEvent) -> Reply:
    """Thank for the order, at once.

    When the scenario is "out of order", this email gets stuck in the outbox: it happened first,
    but is written behind the last one.
    """
    stuck = scenario_of(event.payload) is Scenario.OUT_OF_ORDER
    return Reply(
        event_type="OrderAcknowledged",
        payload=about(event, channel="email", template="order-received"),
        after_s=work_s(0.005, 0.02),
        overtaken_by="NotificationSent" if stuck else None,
    )


def notify(event: ShopEvent) -> Reply:
    """Send the tracking number."""
    return Reply(
        event_type="NotificationSent",
        payload=about(event, "trackingNumber", channel="email", template="order-shipped"),
        after_s=work_s(0.01, 0.04),
    )


EMAIL: Final = Service(
    "email",
    {"OrderPlaced": acknowledge, "ShipmentCreated": notify},
    tells={"OrderPlaced": ("OrderAcknowledged",), "ShipmentCreated": ("NotificationSent",)},
)
