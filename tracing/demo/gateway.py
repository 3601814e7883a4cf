"""The bank's gateway that some orders are paid through: a dependency that can be down."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from tracing.demo.store import Store

SWITCH: Final = "gateway"
# Of the thread that charges: two shops in one process have a switch each.
_store: ContextVar[Store | None] = ContextVar("store", default=None)


class GatewayTimeoutError(Exception):
    """The payment gateway gave no answer."""


def use(store: Store) -> None:
    """Let the gateway stand as this store's switch says, for what this thread charges."""
    _store.set(store)


def charge(amount: object) -> None:
    """Charge a card, if the gateway is up. Raises GatewayTimeoutError."""
    store = _store.get()
    if store is not None and not store.is_on(SWITCH):
        raise GatewayTimeoutError(
            f"gateway northbank did not answer within 3000 ms (to charge {amount})"
        )
