"""What the services' replies have in common."""

from __future__ import annotations

from secrets import SystemRandom
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tracing.demo.publishing import Payload, ShopEvent

_dice: Final = SystemRandom()
# What every event of an order repeats, so that no service has to ask another.
_COMMON: Final = ("orderId", "customerId", "scenario")


def about(event: ShopEvent, *fields: str, **more: Any) -> Payload:
    """Return what an order's events repeat, the fields named besides if they exist, and `more`."""
    payload = event.payload
    return {field: payload[field] for field in (*_COMMON, *fields) if field in payload} | more


def work_s(least: float, most: float) -> float:
    """Return how many seconds a piece of work takes this time."""
    return _dice.uniform(least, most)
