"""What a customer is told of an order: a pure function of its flow's events, in any order."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.domain.event import Event


class Status(enum.StrEnum):
    """How far an order is, in the customer's words."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    COMPLETED = "completed"
    ON_HOLD = "on hold"
    CANCELLED = "cancelled"


class Milestone(msgspec.Struct, frozen=True):
    """One step of the way; `state` is 'done', 'running', 'quiet', 'failed' or 'compensated'."""

    label: str
    state: str


class OrderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer reads. `last_updated_ms` is None until the first event is stored."""

    status: Status
    sentence: str
    tone: str
    last_updated_ms: int | None
    milestones: tuple[Milestone, ...]


# The furthest of these that happened is the status.
_REACHED: Final = (
    ("OrderCancelled", Status.CANCELLED),
    ("StockReleaseFailed", Status.ON_HOLD),
    ("PaymentRefundFailed", Status.ON_HOLD),
    ("OrderCompleted", Status.COMPLETED),
    ("ShipmentCreated", Status.SHIPPED),
    ("PaymentProcessed", Status.PROCESSING),
    ("StockReserved", Status.CONFIRMED),
)
_SENTENCES: Final = {
    Status.PENDING: "Order received! We'll confirm availability shortly.",
    Status.CONFIRMED: "Everything is in stock and set aside for you. We're charging your card.",
    Status.PROCESSING: "Payment received. We're packing your order.",
    Status.SHIPPED: "Your order is with the carrier.",
    Status.COMPLETED: "All done: your order is on its way, and the tracking number in your inbox.",
    Status.ON_HOLD: "{why} Undoing your order failed too: a person is looking into it.",
    Status.CANCELLED: "{why} Your order was cancelled and costs you nothing.",
}
_TONES: Final = {
    Status.SHIPPED: "ok",
    Status.COMPLETED: "ok",
    Status.ON_HOLD: "fail",
    Status.CANCELLED: "back",
}
_WHY: Final = {
    "out_of_stock": "One item is out of stock.",
    "card_declined": "Your card was declined.",
    "no_carrier": "No carrier takes your parcel.",
}
# What each step of the way is waiting for, what makes it fail, and what takes it back.
_WAY: Final = (
    ("Received", "OrderPlaced", "", ""),
    ("Confirmed", "StockReserved", "StockReservationFailed", "StockReleased"),
    ("Paid", "PaymentProcessed", "PaymentFailed", "PaymentRefunded"),
    ("Shipped", "ShipmentCreated", "ShipmentFailed", ""),
)
# Nothing more will be done about these by itself.
_ENDED: Final = {Status.ON_HOLD, Status.CANCELLED}
_TELLING: Final = {kind for kind, _ in _REACHED} | {kind for step in _WAY for kind in step if kind}


def order_status(events: Iterable[Event]) -> OrderStatus:
    """Return what the customer of this flow reads; without any event it is pending."""
    held = sorted(
        (event for event in events if event.type in _TELLING),
        key=lambda event: (event.time_us, event.type),
    )
    happened = {event.type for event in held}
    status = next((status for kind, status in _REACHED if kind in happened), Status.PENDING)
    reason = next((event.reason for event in held if event.reason), None)
    failed = bool(happened & {"StockReservationFailed", "PaymentFailed", "ShipmentFailed"})
    return OrderStatus(
        status=status,
        sentence=_sentence(status, reason, failed=failed),
        tone="fail" if failed and status not in _ENDED else _TONES.get(status, "run"),
        last_updated_ms=max((event.time_us // 1_000 for event in held), default=None),
        milestones=_milestones(happened, stopped=failed or status in _ENDED),
    )


def _sentence(status: Status, reason: str | None, *, failed: bool) -> str:
    # A stranger's reason is shown as it is: the template escapes it.
    why = _WHY.get(reason or "", reason or "Something went wrong.")
    if failed and status not in _ENDED:
        return f"{why} We're cancelling your order."
    return _SENTENCES[status].format(why=why)


def _milestones(happened: set[str], *, stopped: bool) -> tuple[Milestone, ...]:
    found = []
    waiting = not stopped
    for label, reached, failing, undone in _WAY:
        if failing in happened:
            state = "failed"
        elif reached in happened or reached == "OrderPlaced":
            # Placed is placed: the page need not wait for its own event to come back.
            state = "compensated" if undone in happened else "done"
        else:
            state, waiting = ("running" if waiting else "quiet"), False
        found.append(Milestone(label, state))
    return tuple(found)
