"""Type names of any producer, read as clauses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.drawing.words import clause_of


@pytest.mark.parametrize(
    ("event_type", "clause"),
    [
        ("StockReserved", "the stock was reserved"),
        ("StockReservationFailed", "the stock reservation failed"),
        ("order.placed", "the order was placed"),
        ("com.acme.orders.v1.OrderPlaced", "the order was placed"),
        ("payment_failed", "the payment failed"),
        ("PAYMENT_FAILED", "the payment failed"),
        ("invoice-sent.v2", "the invoice was sent"),
        ("ItemsReserved", "the items were reserved"),
        ("AddressChanged", "the address changed"),
        ("HTTPRequestReceived", "the HTTP request was received"),
        ("urn:message:Acme.Contracts:SeatBooked", "the seat was booked"),
        ("OrderCompletedV2", "the order completed"),
    ],
)
def test_it_reads_names_of_any_style(event_type: str, clause: str) -> None:
    assert clause_of(event_type).clause == clause


@pytest.mark.parametrize(
    "event_type", ["CreateOrder", "signup", "Placed", "(no type)", "NewsFeed", "注文", "", "a b c"]
)
def test_it_leaves_a_name_alone_that_tells_no_clause(event_type: str) -> None:
    assert clause_of(event_type).clause == event_type


@given(st.text(max_size=500))
def test_it_bears_any_name_and_keeps_it_short(event_type: str) -> None:
    assert len(clause_of(event_type).clause) <= 150
