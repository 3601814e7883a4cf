"""One table says where each event is told, and the services hold to it."""

from __future__ import annotations

from tracing.demo.events import PARTITIONS, TOPIC_OF
from tracing.demo.services import SERVICES
from tracing.demo.status import _REACHED, _WAY


def test_the_shop_speaks_over_five_topics() -> None:
    assert set(TOPIC_OF.values()) == {
        "orders",
        "inventory",
        "payments",
        "shipping",
        "notifications",
    }
    assert PARTITIONS.keys() == set(TOPIC_OF.values())
    assert PARTITIONS["orders"] >= 3


def test_every_service_listens_to_events_of_the_table() -> None:
    for service in SERVICES:
        assert set(service.handlers) <= set(TOPIC_OF)
        assert service.topics == sorted({TOPIC_OF[kind] for kind in service.handlers})


def test_the_customers_status_knows_only_events_of_the_table() -> None:
    named = {kind for kind, _ in _REACHED} | {kind for step in _WAY for kind in step[1:] if kind}

    assert named <= set(TOPIC_OF)
