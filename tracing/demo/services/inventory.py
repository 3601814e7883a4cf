"""The inventory service sets items aside, and puts them back when an order fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tracing.demo.scenarios import Scenario, scenario_of
from tracing.demo.service import Reply, Service
from tracing.demo.services.common import about, work_s

if TYPE_CHECKING:
    from tracing.demo.publishing import ShopEvent


def reserve(event: ShopEvent) -> Reply:
    """Set the items aside, one after the other, unless the last one is out of stock."""
    items = event.payload.get("items")
    items = items if isinstance(items, list) else []
    took_s = work_s(0.02, 0.06)
    if scenario_of(event.payload) is Scenario.OUT_OF_STOCK:
        return Reply(
            event_type="StockReservationFailed",
            payload={
                **about(event),
                "reason": "out_of_stock",
                "missing": items[-1:],
                "reserved": items[:-1],
            },
            after_s=took_s,
        )
    return Reply(
        event_type="StockReserved",
        payload={**about(event, "amount", "currency"), "items": items},
        after_s=took_s,
    )


def release(event: ShopEvent) -> Reply:
    """Put back what was set aside, if the warehouse answers.

    If it does not, nobody hears more of the order: it needs a person.
    """
    if scenario_of(event.payload) is Scenario.NOTHING_UNDONE:
        return Reply(
            event_type="StockReleaseFailed",
            payload={**about(event), "reason": "warehouse_unreachable", "attempts": 3},
            after_s=work_s(0.6, 0.9),
        )
    return Reply(
        event_type="StockReleased", payload=about(event, "reason"), after_s=work_s(0.02, 0.06)
    )


def release_if_something_is_held(event: ShopEvent) -> Reply | None:
    """Put back the items that were set aside before one was missing."""
    return release(event) if event.payload.get("reserved") else None


INVENTORY: Final = Service(
    "inventory",
    {
        "OrderPlaced": reserve,
        "StockReservationFailed": release_if_something_is_held,
        "PaymentFailed": release,
    },
    tells={
        "OrderPlaced": ("StockReserved", "StockReservationFailed"),
        "StockReservationFailed": ("StockReleased", "StockReleaseFailed"),
        "PaymentFailed": ("StockReleased", "StockReleaseFailed"),
    },
)
