"""Texts that fit their room, whatever a producer writes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tracing.drawing.text import fit, fit_name, width

ROOMS = st.floats(20, 400)


@share(50)
@given(st.text(max_size=300), ROOMS)
def test_what_fits_is_never_wider_than_its_room(text: str, room: float) -> None:
    for fitted in (fit(text, 13, room), fit_name(text, 13, room)):
        assert width(fitted.text, 13) <= room + 0.001
        assert fitted.length is None or fitted.length <= room + 0.1


def test_a_short_text_stays_as_it_is() -> None:
    assert fit_name("StockReserved", 13, 132).text == "StockReserved"
    assert fit("order", 11, 80).length is None


def test_a_text_that_nearly_fills_its_room_gets_a_length() -> None:
    assert fit_name("OrderAcknowledged", 13, 132).length is not None


def test_a_namespace_is_dropped_before_the_name() -> None:
    assert fit_name("com.acme.orders.events.OrderPlaced", 13, 132).text == "…OrderPlaced"


def test_the_end_of_a_long_name_stays_since_it_tells_what_happened() -> None:
    cut = fit_name("CustomerSubscriptionRenewalReminderFailed", 13, 132).text

    assert cut.startswith("Customer")
    assert cut.endswith("Failed")
    assert "…" in cut


def test_blank_space_in_a_name_is_one_space() -> None:
    assert fit_name("a\n\n b\t", 13, 132).text == "a b"
