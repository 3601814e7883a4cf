"""The inventory service sets items aside, and puts them back when an order fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tracing.demo.scenarios import Scenario, scenario_of
from tracing.demo.service import Reply, Service
from tracing.demo.services.common import about, work_s

if TYPE_CHECKING:
    from tracing.demo.publishing import ShopEvent


# Which shelf a product is on. Everything but the grand piano, which is the bug.
_SHELVES: Final = {"LAMP": "A1", "MUG": "A2", "BOOK": "B1", "CHAIR": "C4", "TEA": "B2", "BAG": "C1"}


class BadQuantityError(Exception):
    """An item is ordered in a quantity that is no whole number."""


class NoShelfError(Exception):
    """A product has no shelf in the warehouse."""


def _look_up(item: dict[str, Any]) -> None:
    """Find an item's shelf. Raises BadQuantityError and NoShelfError."""
    quantity, sku = item.get("quantity", 1), item.get("sku")
    if not isinstance(quantity, int):
        raise BadQuantityError(f"the quantity {quantity!r} of {sku} is not a whole number")
    product, dash, _ = sku.partition("-") if isinstance(sku, str) else ("", "", "")
    if dash and product not in _SHELVES:
        raise NoShelfError(f"no shelf for product {product}")


def reserve(event: ShopEvent) -> Reply | None:
    """Set the items aside, one after the other, unless the last one is out of stock."""
    if scenario_of(event.payload) is Scenario.STOCK_HANGS:
        return None
    items = event.payload.get("items")
    items = items if isinstance(items, list) else []
    for item in items:
        if isinstance(item, dict):
            _look_up(item)
    took_s = work_s(0.02, 0.06)
    if scenario_of(event.payload) is Scenario.OUT_OF_STOCK:
        return Reply(
            event_type="StockReservationFailed",
            payload=about(event, reason="out_of_stock", missing=items[-1:], reserved=items[:-1]),
            after_s=took_s,
        )
    return Reply(
        event_type="StockReserved",
        payload=about(event, "amount", "currency", items=items),
        after_s=took_s,
    )


def release(event: ShopEvent) -> Reply:
    """Put back what was set aside, if the warehouse answers.

    If it does not, nobody hears more of the order: it needs a person.
    """
    if scenario_of(event.payload) is Scenario.NOTHING_UNDONE:
        return Reply(
            event_type="StockReleaseFailed",
            payload=about(event, reason="warehouse_unreachable", attempts=3),
            after_s=work_s(0.6, 0.9),
            settled=False,
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
        "PaymentRefunded": release,
        "ReserveStock": reserve,
        "ReleaseStock": release,
    },
    tells={
        "OrderPlaced": ("StockReserved", "StockReservationFailed"),
        "StockReservationFailed": ("StockReleased", "StockReleaseFailed"),
        "PaymentFailed": ("StockReleased", "StockReleaseFailed"),
        "PaymentRefunded": ("StockReleased", "StockReleaseFailed"),
        "ReserveStock": ("StockReserved", "StockReservationFailed"),
        "ReleaseStock": ("StockReleased", "StockReleaseFailed"),
    },
)
