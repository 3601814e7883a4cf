"""What can happen in the shop, what can be asked for, and on which topic it is told."""

from __future__ import annotations

import enum
from typing import Final


class Kind(enum.StrEnum):
    """What a message wants; told in a header unless it is an event."""

    EVENT = "event"
    COMMAND = "command"
    REPLY = "reply"


# By choreography. With `COMMANDS` the whole table: a type that is in neither is not of the shop.
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
    "PaymentRefunded": "payments",
    "PaymentRefundFailed": "payments",
    "ShipmentCreated": "shipping",
    "ShipmentFailed": "shipping",
    "OrderAcknowledged": "notifications",
    "NotificationSent": "notifications",
}

# By orchestration: what the orchestrator asks for, and the two answers that it may get; a cancelled
# order stays cancelled. Its topics are its own, so that neither pattern hears the other.
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "ReserveStock": ("StockReserved", "StockReservationFailed"),
    "ProcessPayment": ("PaymentProcessed", "PaymentFailed"),
    "CreateShipment": ("ShipmentCreated", "ShipmentFailed"),
    "RefundPayment": ("PaymentRefunded", "PaymentRefundFailed"),
    "ReleaseStock": ("StockReleased", "StockReleaseFailed"),
    "CancelOrder": ("OrderCancelled",),
}
SUBMITTED: Final = "OrderSubmitted"
COMPLETED: Final = "OrderCompleted"
SAGA_ORDERS: Final = "saga.orders"
SAGA_COMMANDS: Final = "saga.commands"
SAGA_REPLIES: Final = "saga.replies"
_ORCHESTRATED: Final[dict[str, str]] = {
    SUBMITTED: SAGA_ORDERS,
    COMPLETED: SAGA_ORDERS,
    **dict.fromkeys(COMMANDS, SAGA_COMMANDS),
    **dict.fromkeys((reply for replies in COMMANDS.values() for reply in replies), SAGA_REPLIES),
}

# The key is the order id, so what happens to one order stays in order within a topic.
PARTITIONS: Final[dict[str, int]] = dict.fromkeys((*TOPIC_OF.values(), *_ORCHESTRATED.values()), 3)

SCHEMA_VERSION: Final = "1"

# What the services read may fail: each topic has its retry topics and its dead letters.
FAILING: Final = ("inventory", "orders", "payments", SAGA_COMMANDS, "shipping")


def is_told_on(event_type: str, topic: str) -> bool:
    """Return whether a message of this type belongs on this topic."""
    return topic in {TOPIC_OF.get(event_type), _ORCHESTRATED.get(event_type)}


def heard_on(event_type: str) -> str:
    """Return the topic on which a service hears an event or a command."""
    return SAGA_COMMANDS if event_type in COMMANDS else TOPIC_OF[event_type]
