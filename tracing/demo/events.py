"""What can happen in the shop, and on which topic it is told."""

from __future__ import annotations

from typing import Final

# The one table: a type that is not here is not of the shop.
TOPIC_OF: Final[dict[str, str]] = {
    "OrderPlaced": "orders",
    "OrderCompleted": "orders",
    "OrderCancelled": "orders",
    "StockReserved": "inventory",
    "StockReservationFailed": "inventory",
    "StockReleased": "inventory",
    "StockReleaseFailed": "inventory",
    "PaymentProcessed": "payments",
    "PaymentFailed": "payments",
    "ShipmentCreated": "shipping",
    "OrderAcknowledged": "notifications",
    "NotificationSent": "notifications",
}

# The key is the order id, so what happens to one order stays in order within a topic.
PARTITIONS: Final[dict[str, int]] = dict.fromkeys(TOPIC_OF.values(), 3)

SCHEMA_VERSION: Final = "1"

# What is read may fail: each topic has its retry topics and its dead letters.
FAILING: Final = tuple(sorted(set(PARTITIONS) - {"notifications"}))
