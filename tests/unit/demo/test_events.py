"""One table says where each event is told, and the services hold to it."""

from __future__ import annotations

from tracing.demo.events import COMMANDS, PARTITIONS, TOPIC_OF
from tracing.demo.services import SERVICES
from tracing.demo.status import _REACHED, _WAY


def test_the_shop_speaks_over_five_topics_and_the_orchestrator_over_three() -> None:
    assert set(TOPIC_OF.values()) == {
        "orders",
        "inventory",
        "payments",
        "shipping",
        "notifications",
    }
    orchestrated = {"saga.orders", "saga.commands", "saga.replies"}
    assert PARTITIONS.keys() == set(TOPIC_OF.values()) | orchestrated
    assert PARTITIONS["orders"] >= 3


def test_every_service_listens_to_events_of_the_table() -> None:
    for service in SERVICES:
        assert set(service.handlers) <= set(TOPIC_OF) | set(COMMANDS)
        events = {TOPIC_OF[kind] for kind in service.handlers if kind not in COMMANDS}
        assert set(service.topics) - {"saga.commands"} == events


def test_no_service_hears_the_replies_that_are_the_orchestrators() -> None:
    for service in SERVICES:
        assert not {"saga.replies", "saga.orders"} & set(service.topics)


def test_each_command_has_one_service_that_obeys_it() -> None:
    obeyed = sorted(command for service in SERVICES for command, _ in service.obeys)

    assert obeyed == sorted(COMMANDS)
    for service in SERVICES:
        for command, replies in service.obeys:
            assert replies == COMMANDS[command]


def test_the_customers_status_knows_only_events_of_the_table() -> None:
    named = {kind for kind, _ in _REACHED} | {kind for step in _WAY for kind in step[1:] if kind}

    assert named <= set(TOPIC_OF)
