"""What says that an event was processed after all."""

from __future__ import annotations

import pytest

from tracing.domain.event import Event
from tracing.domain.processed import Death, processed, processed_twice

INVENTORY = Death(9, "inventory-group")


def effect(at_ms: int, service: str, event_id: str = "", *, cause: str = "e-1") -> Event:
    """Return an answer of a service to an event."""
    return Event(
        topic="orders",
        partition=0,
        offset=at_ms,
        event_id=event_id or f"{service}-{at_ms}",
        correlation_id="o-1",
        joined_by="correlation",
        causation_id=cause,
        type="Answered",
        service=service,
        schema_version=None,
        timestamp_ms=at_ms,
        occurred_us=None,
        key=None,
        reason=None,
        dialect="native",
    )


@pytest.mark.parametrize(
    ("effects", "death", "counted"),
    [
        ([(5, "email")], INVENTORY, []),
        ([(5, "inventory")], INVENTORY, [5]),
        ([(5, "inventory-group-2")], INVENTORY, [5]),
        # It has answered before: what it answers to the message that was sent again says nothing.
        ([(5, "email"), (12, "email")], INVENTORY, []),
        ([(5, "email"), (12, "stock")], INVENTORY, [12]),
        ([(12, "stock"), (13, "stock")], INVENTORY, [12, 13]),
        ([(5, "")], INVENTORY, []),
        ([(5, "email")], Death(9, ""), [5]),
        ([(5, "email")], None, [5]),
    ],
)
def test_what_services_did_that_had_not_failed_says_nothing(
    effects: list[tuple[int, str]], death: Death | None, counted: list[int]
) -> None:
    found = processed([effect(*one) for one in effects], death)

    assert [one.timestamp_ms for one in found] == counted


def test_two_effects_of_one_type_and_service_are_a_cause_handled_twice() -> None:
    twice = [effect(3, "stock"), effect(4, "stock")]
    copies = [effect(5, "billing", "b-1"), effect(6, "billing", "b-1")]

    assert processed_twice([*twice, *copies, effect(7, "email")], {}) == [("e-1", twice)]


def test_of_one_that_died_only_if_an_effect_says_that_it_was_processed() -> None:
    deaths = {"e-1": INVENTORY}
    stock = [effect(5, "inventory"), effect(12, "inventory")]
    mail = [effect(5, "email"), effect(12, "email")]
    elsewhere = [effect(5, "email", cause="e-2"), effect(6, "email", cause="e-2")]

    assert processed_twice([*mail, *stock], deaths) == [("e-1", stock)]
    assert processed_twice(elsewhere, deaths) == [("e-2", elsewhere)]
