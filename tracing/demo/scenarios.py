"""What can happen to an order: picked on the page, or thrown by the traffic's dice."""

from __future__ import annotations

import enum
from typing import Final, NamedTuple


class Scenario(enum.StrEnum):
    """A stage direction that travels in the payload; the services play their part in it."""

    FINE = "fine"
    OUT_OF_STOCK = "out-of-stock"
    PAYMENT_DECLINED = "payment-declined"
    NOTHING_UNDONE = "nothing-undone"
    SLOW_PAYMENT = "slow-payment"
    DELIVERED_TWICE = "delivered-twice"
    OUT_OF_ORDER = "out-of-order"
    BAD_PAYLOAD = "bad-payload"
    PRODUCT_BUG = "product-bug"
    GATEWAY_DOWN = "gateway-down"


class Play(NamedTuple):
    """A scenario in words, and how many of a hundred orders by themselves play it."""

    title: str
    plot: str
    percent: int


PLAYS: Final[dict[Scenario, Play]] = {
    Scenario.FINE: Play(
        "All well", "Stock, payment and shipment succeed, and the customer is told.", 72
    ),
    Scenario.OUT_OF_STOCK: Play(
        "Out of stock", "One item is missing: what was set aside goes back, no money moves.", 6
    ),
    Scenario.PAYMENT_DECLINED: Play(
        "Payment declined", "The card is refused after the stock was reserved: it is undone.", 7
    ),
    Scenario.NOTHING_UNDONE: Play(
        "Nothing can be undone",
        "The card is refused and the stock cannot be released: the flow ends failed.",
        1,
    ),
    Scenario.SLOW_PAYMENT: Play(
        "Slow payment", "The bank takes about four seconds. Other orders overtake this one.", 4
    ),
    Scenario.DELIVERED_TWICE: Play(
        "Delivered twice", "OrderPlaced is written twice. Each service skips the second.", 3
    ),
    Scenario.OUT_OF_ORDER: Play(
        "Out of order", "The first email gets stuck and is overtaken by the last one.", 2
    ),
    Scenario.BAD_PAYLOAD: Play(
        "Poison: bad payload", "A quantity is text: inventory gives up after three retries.", 1
    ),
    Scenario.PRODUCT_BUG: Play(
        "Poison: a bug", "Inventory has no shelf for a grand piano, and never will by itself.", 2
    ),
    Scenario.GATEWAY_DOWN: Play(
        "Poison: gateway down", "The bank's gateway goes down until you switch it on again.", 2
    ),
}


def scenario_of(payload: dict[str, object]) -> Scenario:
    """Return what an order's payload asks for; a stranger's order simply goes well."""
    try:
        return Scenario(str(payload.get("scenario", Scenario.FINE)))
    except ValueError:
        return Scenario.FINE
