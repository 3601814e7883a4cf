"""Which changes a live list of events shows."""

from __future__ import annotations

import pytest

from tests.unit.live.change import change
from tracing.web.matching import EventFilter

CHANGE = change(
    1,
    type="com.acme.OrderPlaced",
    service="order-service",
    topic="orders",
    key="ORD-1",
    event_id="Ü-1",
    correlation_id="c-1",
)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"type": "com.acme.OrderPlaced"},
        {"service": "order-service", "topic": "orders"},
        {"text": "orderplaced"},
        {"text": "ord-1"},
        {"text": "ü-"},
        {"text": "C-1"},
    ],
)
def test_it_shows_what_the_filter_names(given: dict[str, str]) -> None:
    assert EventFilter(**given).matches(CHANGE)


@pytest.mark.parametrize(
    "given",
    [
        {"type": "OrderPlaced"},
        {"service": "order"},
        {"topic": "Orders"},
        {"text": "order-service"},
        {"type": "com.acme.OrderPlaced", "text": "nothing"},
    ],
)
def test_it_leaves_out_the_rest(given: dict[str, str]) -> None:
    assert not EventFilter(**given).matches(CHANGE)


def test_an_event_without_a_key_matches_by_its_other_fields() -> None:
    keyless = change(1, key=None, type="OrderPlaced")

    assert EventFilter(text="placed").matches(keyless)
    assert not EventFilter(text="ORD-").matches(keyless)
