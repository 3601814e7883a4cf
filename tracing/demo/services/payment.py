"""The payment service charges the card once the stock is reserved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tracing.demo import gateway
from tracing.demo.scenarios import Scenario, scenario_of
from tracing.demo.service import Reply, Service
from tracing.demo.services.common import about, work_s

if TYPE_CHECKING:
    from tracing.demo.publishing import ShopEvent


def charge(event: ShopEvent) -> Reply:
    """Ask the bank, which may refuse or take its time. Raises GatewayTimeoutError."""
    scenario = scenario_of(event.payload)
    payload = {**about(event, "amount", "currency"), "method": "card"}
    if scenario in {Scenario.PAYMENT_DECLINED, Scenario.NOTHING_UNDONE}:
        return Reply(
            event_type="PaymentFailed",
            payload={**payload, "reason": "card_declined", "attempt": 1},
            after_s=work_s(0.15, 0.4),
        )
    if scenario is Scenario.GATEWAY_DOWN:
        gateway.charge(event.payload.get("amount"))
    slow = scenario is Scenario.SLOW_PAYMENT
    return Reply(
        event_type="PaymentProcessed",
        payload={**payload, "paymentId": f"PAY-{event.event_id[:8]}"},
        after_s=work_s(3.8, 4.4) if slow else work_s(0.15, 0.4),
    )


PAYMENT: Final = Service(
    "payment",
    {"StockReserved": charge},
    tells={"StockReserved": ("PaymentProcessed", "PaymentFailed")},
)
