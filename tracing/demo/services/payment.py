"""The payment service charges the card once the stock is reserved, and gives money back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tracing.demo import gateway
from tracing.demo.scenarios import Scenario, scenario_of
from tracing.demo.service import Reply, Service
from tracing.demo.services.common import about, work_s

if TYPE_CHECKING:
    from tracing.demo.publishing import ShopEvent


_SUM: Final = ("amount", "currency")


def charge(event: ShopEvent) -> Reply | None:
    """Ask the bank, which may refuse, take its time or say nothing. Raises GatewayTimeoutError."""
    scenario = scenario_of(event.payload)
    if scenario is Scenario.PAYMENT_HANGS:
        return None
    if scenario in {Scenario.PAYMENT_DECLINED, Scenario.NOTHING_UNDONE}:
        return Reply(
            event_type="PaymentFailed",
            payload=about(event, *_SUM, method="card", reason="card_declined", attempt=1),
            after_s=work_s(0.15, 0.4),
        )
    if scenario is Scenario.GATEWAY_DOWN:
        gateway.charge(event.payload.get("amount"))
    slow = scenario is Scenario.SLOW_PAYMENT
    return Reply(
        event_type="PaymentProcessed",
        payload=about(event, *_SUM, method="card", paymentId=f"PAY-{event.event_id[:8]}"),
        after_s=work_s(3.8, 4.4) if slow else work_s(0.15, 0.4),
    )


def refund(event: ShopEvent) -> Reply:
    """Give the money back, if the bank lets us. If it does not, it needs a person."""
    if scenario_of(event.payload) is Scenario.REFUND_FAILS:
        return Reply(
            event_type="PaymentRefundFailed",
            payload=about(event, *_SUM, reason="account_closed", attempts=3),
            after_s=work_s(0.6, 0.9),
            settled=False,
        )
    return Reply(
        event_type="PaymentRefunded",
        payload=about(event, *_SUM, "reason"),
        after_s=work_s(0.1, 0.3),
    )


PAYMENT: Final = Service(
    "payment",
    {
        "StockReserved": charge,
        "ShipmentFailed": refund,
        "ProcessPayment": charge,
        "RefundPayment": refund,
    },
    tells={
        "StockReserved": ("PaymentProcessed", "PaymentFailed"),
        "ShipmentFailed": ("PaymentRefunded", "PaymentRefundFailed"),
        "ProcessPayment": ("PaymentProcessed", "PaymentFailed"),
        "RefundPayment": ("PaymentRefunded", "PaymentRefundFailed"),
    },
)
