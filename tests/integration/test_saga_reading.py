"""Sagas as pages read them: by index, in an order that a cursor continues."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.sagas import START_MS, events, put
from tests.unit.domain.saga.test_derive import SAGAS
from tracing.domain.saga.instance import Flag, Phase, Status
from tracing.domain.saga.parsing import parse
from tracing.projections.saga_decisions import declare
from tracing.projections.saga_listing import SagaFilter, list_sagas
from tracing.projections.saga_overview import overviews, without_definition
from tracing.projections.saga_preview import preview
from tracing.projections.saga_reading import FlagAt, read_saga, sagas_of_flows

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# Told apart by correlation, so that a saga's name is its record's key.
SHOP = (SAGAS / "order.yaml").read_text().replace("key: $.orderId", "key: correlation")
# The first timeout of the shop is 10 s; a minute later it is stuck.
SOON_MS, LATE_MS, STUCK_MS = START_MS + 5_000, START_MS + 50_000, START_MS + 900_000
CANCELLED_HOLDING = "OrderPlaced StockReserved PaymentFailed OrderCancelled"


@pytest.fixture(autouse=True)
def shop() -> None:
    """Declare the choreographed shop."""
    declare(SHOP, by="test", valid_from=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))


def keys(wanted: SagaFilter, *, now_ms: int = SOON_MS) -> list[str]:
    return [line.key for line in list_sagas(wanted, cursor=None, limit=10, now_ms=now_ms).lines]


def test_one_saga_knows_its_events() -> None:
    put(events("OrderPlaced StockReserved", flow="f"), key=b"ORD-7")
    line = list_sagas(SagaFilter(), cursor=None, limit=10, now_ms=SOON_MS).lines[0]

    found = read_saga(line.id)

    assert found is not None
    assert (found.line.name, found.line.key, found.line.correlation_id) == ("ORD-7", "f", "f")
    assert found.instance.steps[0].status is Status.DONE
    said = found.of(found.instance.steps[0].result)
    assert said is not None
    assert said.event_id == "f-StockReserved-1"
    assert found.line.flow_id is not None
    assert [one.id for one in sagas_of_flows([found.line.flow_id])] == [line.id]
    assert read_saga("0" * 32) is None


def test_each_filter_finds_its_sagas() -> None:
    put(events("OrderPlaced", flow="waits"), key=b"ORD-1")
    put(events("OrderPlaced StockReserved@1", flow="pays"), key=b"ORD-2")
    put(events(CANCELLED_HOLDING, flow="holds"), key=b"ORD-3")

    assert set(keys(SagaFilter())) == {"waits", "pays", "holds"}
    assert keys(SagaFilter(state="PENDING")) == ["waits"]
    assert keys(SagaFilter(definition="Order", state="STOCK_RESERVED")) == ["pays"]
    assert keys(SagaFilter(state="cancelled")) == ["holds"]
    assert keys(SagaFilter(definition="Order", step="Process payment")) == ["pays"]
    assert keys(SagaFilter(flag="missing_compensation")) == ["holds"]
    assert keys(SagaFilter(flag="failed_compensation")) == []
    assert keys(SagaFilter(key="ORD-2")) == ["pays"]
    assert keys(SagaFilter(key="pays")) == ["pays"]
    assert keys(SagaFilter(key="ORD")) == []
    assert keys(SagaFilter(definition="Other")) == []


def test_with_a_flag_the_step_is_the_one_that_it_is_about() -> None:
    put(events(CANCELLED_HOLDING, flow="holds stock"))
    paid = "OrderPlaced StockReserved PaymentProcessed ShipmentFailed StockReleased OrderCancelled"
    put(events(paid, flow="holds money"))

    def found(step: str, **more: str) -> list[str]:
        return keys(SagaFilter(flag="missing_compensation", step=step, **more))

    assert found("Reserve stock") == ["holds stock"]
    assert found("Process payment") == ["holds money"]
    assert found("Create shipment") == []
    assert found("Process payment", key="holds money") == ["holds money"]
    assert found("Process payment", overdue="1") == []
    page = list_sagas(SagaFilter(key="holds money"), cursor=None, limit=1, now_ms=SOON_MS)
    assert page.lines[0].flags == (
        FlagAt(Flag.MISSING_COMPENSATION, "Process payment", "Refund payment"),
    )


def test_the_clock_makes_them_overdue_then_stuck() -> None:
    put(events("OrderPlaced", flow="waits"))

    assert keys(SagaFilter(overdue="1")) == []
    assert keys(SagaFilter(overdue="1"), now_ms=LATE_MS) == ["waits"]
    assert keys(SagaFilter(stuck="1"), now_ms=LATE_MS) == []
    assert keys(SagaFilter(stuck="1"), now_ms=STUCK_MS) == ["waits"]


@pytest.mark.parametrize(
    "wanted",
    [
        SagaFilter(),
        SagaFilter(state="cancelled"),
        SagaFilter(flag="missing_compensation"),
        SagaFilter(definition="Order"),
    ],
)
def test_a_cursor_pages_without_loss_or_repetition(wanted: SagaFilter) -> None:
    for number in range(7):
        # Some begin in the same millisecond.
        at = number // 2
        put(
            events(
                CANCELLED_HOLDING.replace("OrderPlaced", f"OrderPlaced@{-at}"), flow=f"f{number}"
            )
        )
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        page = list_sagas(wanted, cursor=cursor, limit=3, now_ms=SOON_MS)
        seen += [line.key for line in page.lines]
        cursor = page.next
        if cursor is None:
            break

    assert sorted(seen) == [f"f{number}" for number in range(7)]


def test_the_overview_counts_states_steps_flags_and_time() -> None:
    put(events("OrderPlaced", flow="a"))
    put(events("OrderPlaced StockReserved@2", flow="b"))
    put(events(CANCELLED_HOLDING, flow="c"))
    put(events("TripRequested", flow="d"))

    [one] = overviews(LATE_MS)

    assert one.total == 3
    assert (Phase.RUNNING, "PENDING", 1) in one.states
    assert (Phase.CANCELLED, "CANCELLED", 1) in one.states
    assert {(here.step, here.count, here.since_ms) for here in one.here} == {
        ("Reserve stock", 1, START_MS),
        ("Process payment", 1, START_MS + 2_000),
    }
    assert [(found.flag, found.step, found.count) for found in one.flags] == [
        (Flag.MISSING_COMPENSATION, "Reserve stock", 1)
    ]
    assert (one.overdue, one.stuck) == (2, 0)
    pace = next(found for found in one.paces if found.step == "Reserve stock")
    assert pace.p50_ms == pytest.approx(1_000, rel=0.1)
    assert pace.p95_ms == pytest.approx(2_000, rel=0.1)
    assert without_definition(LATE_MS).types == ("TripRequested",)


def test_pages_cost_the_same_whatever_is_stored() -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            overviews(SOON_MS)
            list_sagas(SagaFilter(), cursor=None, limit=5, now_ms=SOON_MS)
        return len(queries)

    put(events("OrderPlaced", flow="first"))
    few = cost()
    for number in range(20):
        put(events("OrderPlaced", flow=f"f{number}"))

    assert cost() == few


def test_a_preview_tells_what_stored_flows_would_be_and_writes_nothing() -> None:
    put(events("TripRequested FlightBooked", flow="t1", payload={"trip": "T-1"}))
    put(events("TripRequested NoFlight@9", flow="t2", payload={"trip": "T-2"}))
    text = """
saga: Trip
starts: TripRequested
key: {key}
steps:
  - {{name: Book flight, success: FlightBooked, failure: NoFlight}}
  - {{name: Book hotel, success: HotelBooked}}
"""
    for key, expected in (("correlation", {"t1", "t2"}), ("$.trip", {"T-1", "T-2"})):
        found = preview(parse(text.format(key=key)), now_ms=LATE_MS)

        assert {one.key for one in found.would} == expected
        assert {one.instance.phase for one in found.would} == {Phase.RUNNING, Phase.CANCELLED}
        assert found.unseen == ("HotelBooked",)
    assert keys(SagaFilter()) == []
