"""What can happen to an order: picked on the page, or thrown by the traffic's dice."""

from __future__ import annotations

import enum
from typing import Final, NamedTuple


class Pattern(enum.StrEnum):
    """Who decides what comes next: each service for itself, or one for all."""

    CHOREOGRAPHY = "choreography"
    ORCHESTRATION = "orchestration"


class Scenario(enum.StrEnum):
    """A stage direction that travels in the payload; the services play their part in it."""

    FINE = "fine"
    SLOW_PAYMENT = "slow-payment"
    DELIVERED_TWICE = "delivered-twice"
    OUT_OF_ORDER = "out-of-order"
    OUT_OF_STOCK = "out-of-stock"
    PAYMENT_DECLINED = "payment-declined"
    SHIPMENT_FAILED = "shipment-failed"
    STOCK_HANGS = "stock-hangs"
    PAYMENT_HANGS = "payment-hangs"
    SHIPMENT_HANGS = "shipment-hangs"
    NOTHING_UNDONE = "nothing-undone"
    REFUND_FAILS = "refund-fails"
    BAD_PAYLOAD = "bad-payload"
    PRODUCT_BUG = "product-bug"
    GATEWAY_DOWN = "gateway-down"
    UNKNOWN_VERSION = "unknown-version"


class Play(NamedTuple):
    """A scenario in words, and how many of a hundred orders by themselves play it."""

    title: str
    plot: str
    percent: int


# By what becomes of the order.
GROUPS: Final[dict[str, dict[Scenario, Play]]] = {
    "It goes well": {
        Scenario.FINE: Play("All well", "Stock, payment and shipment succeed.", 66),
        Scenario.SLOW_PAYMENT: Play(
            "Slow payment", "The bank takes about four seconds. Other orders overtake this one.", 4
        ),
        Scenario.DELIVERED_TWICE: Play(
            "Delivered twice", "The order is written twice. Nothing is done twice.", 3
        ),
        Scenario.OUT_OF_ORDER: Play(
            "Out of order",
            "The first email gets stuck and is overtaken by the last one. By choreography.",
            2,
        ),
    },
    "A step fails": {
        Scenario.OUT_OF_STOCK: Play(
            "Out of stock", "One item is missing: what was set aside goes back, no money moves.", 5
        ),
        Scenario.PAYMENT_DECLINED: Play(
            "Card declined", "The card is refused after the stock was reserved: it is undone.", 6
        ),
        Scenario.SHIPMENT_FAILED: Play(
            "No carrier", "Nobody ships it: the payment goes back, then the stock.", 3
        ),
    },
    "A step hangs": {
        Scenario.STOCK_HANGS: Play(
            "Stock", "Inventory never answers: the order stays pending and becomes overdue.", 1
        ),
        Scenario.PAYMENT_HANGS: Play(
            "Payment", "The bank never answers: the stock stays reserved, the payment overdue.", 1
        ),
        Scenario.SHIPMENT_HANGS: Play(
            "Shipment", "The carrier never answers: paid, and the shipment is overdue.", 1
        ),
    },
    "Undoing fails": {
        Scenario.NOTHING_UNDONE: Play(
            "Stock release",
            "The card is refused and the stock cannot be released: a person has to help.",
            1,
        ),
        Scenario.REFUND_FAILS: Play(
            "Refund", "No carrier, and the payment cannot be refunded: a person has to help.", 1
        ),
    },
    "Poison": {
        Scenario.BAD_PAYLOAD: Play(
            "Bad payload", "A quantity is text: inventory gives up after three retries.", 1
        ),
        Scenario.PRODUCT_BUG: Play(
            "A bug", "Inventory has no shelf for a grand piano, and never will by itself.", 2
        ),
        Scenario.GATEWAY_DOWN: Play(
            "Gateway down", "The bank's gateway goes down until you switch it on again.", 2
        ),
        Scenario.UNKNOWN_VERSION: Play(
            "Version 3",
            "OrderPlaced in a version that no service knows: all give it up. By choreography.",
            1,
        ),
    },
}
# What only the choreographed shop can play: the orchestrated one has neither emails nor versions.
CHOREOGRAPHED: Final = frozenset({Scenario.OUT_OF_ORDER, Scenario.UNKNOWN_VERSION})
PLAYS: Final = {scenario: play for plays in GROUPS.values() for scenario, play in plays.items()}


def scenario_of(payload: dict[str, object]) -> Scenario:
    """Return what an order's payload asks for; a stranger's order simply goes well."""
    try:
        return Scenario(str(payload.get("scenario", Scenario.FINE)))
    except ValueError:
        return Scenario.FINE
