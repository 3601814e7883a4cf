"""Flows on pages: an order that is declined, and how its page is asked for."""

from __future__ import annotations

from django.test import Client

from tests.integration.log import NOW_MS, record, write

INSPECTOR = {"HX-Request": "true", "HX-Target": "inspector"}


def page(client: Client, url: str, *, status: int = 200, htmx: bool = False) -> str:
    """Return a page's text, or what htmx gets."""
    response = client.get(url, headers=INSPECTOR if htmx else {})
    assert response.status_code == status
    return response.content.decode()


def store_declined(flow: str = "o-1") -> None:
    """Store an order whose payment is declined."""
    at = NOW_MS - 60_000
    write(
        record("placed", "OrderPlaced", flow=flow, at_ms=at),
        record("held", "StockReserved", flow=flow, cause="placed", topic="stock", at_ms=at + 40),
        record(
            "declined",
            "PaymentFailed",
            flow=flow,
            cause="held",
            topic="payments",
            service="payment",
            payload={"reason": "card_declined", "amount": 12.5},
            headers=(("x", b"1"), ("x", None), ("bin", b"\xff\x00")),
            at_ms=at + 1_940,
        ),
        record(
            "freed", "StockReleased", flow=flow, cause="declined", topic="stock", at_ms=at + 1_990
        ),
        record(
            "freed", "StockReleased", flow=flow, cause="declined", topic="stock", at_ms=at + 1_990
        ),
    )
