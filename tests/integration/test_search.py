"""What the search field finds."""

from __future__ import annotations

import pytest

from tests.integration.log import record, write
from tracing.domain.derive import State
from tracing.projections import reading

pytestmark = pytest.mark.django_db


def test_a_record_is_found_by_its_coordinates() -> None:
    write(record("e-1", flow="o-1"), record("e-2", flow="o-2"))

    hits = reading.search(" orders[0]@1 ")

    assert [(hit.kind, hit.event_id, hit.correlation_id) for hit in hits] == [
        ("event", "e-2", "o-2")
    ]


@pytest.mark.parametrize(
    "text", ["orders[0]@2", "orders[1]@0", "orders[0]@99999999999999", "[0]@1"]
)
def test_coordinates_that_hold_nothing_find_nothing(text: str) -> None:
    write(record("e-1"))

    assert reading.search(text) == []


def test_a_flow_is_found_by_an_identifier_in_a_payload() -> None:
    write(record("e-1", flow="o-1", key=None, payload={"customerId": "C-7"}))

    assert [hit.correlation_id for hit in reading.search("C-7")] == ["o-1"]


def test_what_several_have_is_listed_the_thing_of_that_very_id_first() -> None:
    write(
        record("e-1", flow="C-7", payload={"customerId": "x"}),
        record("C-7", flow="o-2"),
        record("e-3", flow="o-3", payload={"customerId": "C-7"}),
        record("e-4", flow="o-4", payload={"customerId": "C-7"}),
    )

    hits = reading.search("C-7")

    found = [(hit.kind, hit.correlation_id) for hit in hits]
    assert found[:2] == [("flow", "C-7"), ("event", "o-2")]
    assert set(found[2:]) == {("flow", "o-3"), ("flow", "o-4")}
    assert [hit.line and hit.line.correlation_id for hit in hits] == [
        hit.correlation_id if hit.kind == "flow" else None for hit in hits
    ]


def test_records_without_an_envelope_are_plain_and_wait_for_nothing() -> None:
    write(record("", value=b"just text", key=b"k"), record("e-1"))

    plain = reading.list_flows(
        reading.FlowFilter(state="plain"), cursor=None, limit=10, now_ms=0
    ).lines

    assert [line.state for line in plain] == [State.PLAIN]
    assert reading.flow_totals(0)["plain"] == (1, True)
