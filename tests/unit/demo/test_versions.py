"""A service knows the versions of OrderPlaced that are registered, and reads the old as the new."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.demo.test_services import event
from tracing.demo.publishing import ShopEvent
from tracing.demo.versions import UnknownVersionError, understood


def placed(version: str | int, **payload: Any) -> ShopEvent:
    plain = event("OrderPlaced", **payload)
    return ShopEvent(
        event_id=plain.event_id,
        event_type=plain.event_type,
        schema_version=version,
        timestamp=plain.timestamp,
        correlation_id=plain.correlation_id,
        payload=plain.payload,
    )


@pytest.mark.parametrize("version", ["1", 1, "v1"])
def test_version_1_meant_euros(version: str | int) -> None:
    assert understood(placed(version, amount=3.0)).payload == {"amount": 3.0, "currency": "EUR"}


def test_version_2_says_its_currency() -> None:
    assert understood(placed("2", currency="USD")).payload == {"currency": "USD"}


def test_a_version_that_nobody_knows_is_refused_in_words() -> None:
    with pytest.raises(UnknownVersionError, match="version 3 is not known here, only 1 and 2"):
        understood(placed(3))


def test_what_has_one_version_is_left_alone() -> None:
    other = event("StockReserved")

    assert understood(other) is other
