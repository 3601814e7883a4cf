"""The bank's gateway that some orders are paid through: a dependency that can be down."""

from __future__ import annotations

from typing import Final

from tracing.demo.store import Store

SWITCH: Final = "gateway"
_stores: list[Store] = []


class GatewayTimeoutError(Exception):
    """The payment gateway gave no answer."""


def use(store: Store) -> None:
    """Let the gateway stand as this store's switch says."""
    _stores[:] = [store]


def charge(amount: object) -> None:
    """Charge a card, if the gateway is up. Raises GatewayTimeoutError."""
    if _stores and not _stores[0].is_on(SWITCH):
        raise GatewayTimeoutError(
            f"gateway northbank did not answer within 3000 ms (to charge {amount})"
        )
