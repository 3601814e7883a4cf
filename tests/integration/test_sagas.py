"""Sagas in the database: told apart, versioned, counted, rebuilt, pruned."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.sagas import START_MS, events, put
from tests.unit.domain.saga.test_derive import SAGAS
from tracing.domain.derive import State
from tracing.domain.rules import Role
from tracing.domain.saga.instance import Flag, Phase
from tracing.models import (
    Flow,
    FlowCount,
    RebuildRun,
    SagaCount,
    SagaDefinition,
    SagaDuration,
    SagaFlag,
    SagaFlagCount,
    SagaFlow,
    SagaInstance,
)
from tracing.projections.flow_graph import read_flow
from tracing.projections.prune import Pruner
from tracing.projections.rebuild import rebuild
from tracing.projections.saga_decisions import applied_sagas, declare, end, move

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

BEFORE = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
TRIP = """
saga: Trip
starts: TripRequested
key: $.trip
steps:
  - {name: Book flight, success: FlightBooked, failure: NoFlight, timeout: 30s,
     compensation: {name: Cancel flight, success: FlightCancelled}}
  - {name: Book hotel, success: HotelBooked, failure: NoHotel}
"""


@pytest.fixture
def shop() -> SagaDefinition:
    """Declare the choreographed shop."""
    return declare((SAGAS / "order.yaml").read_text(), by="test", valid_from=BEFORE)


def counts() -> dict[tuple[str, str], int]:
    rows = SagaCount.objects.filter(n__gt=0)
    return {(row.state, row.step): row.n for row in rows}


@pytest.mark.usefixtures("shop")
def test_a_saga_is_stored_with_its_state_and_its_deadline() -> None:
    put(events("OrderPlaced StockReserved SomethingElse", flow="f"))

    one = SagaInstance.objects.get()
    assert (one.definition, one.key, one.version) == ("Order", "f", 1)
    assert (one.state, one.phase, one.step) == ("STOCK_RESERVED", Phase.RUNNING, "Process payment")
    assert one.started_ms == START_MS
    assert one.timeout_at_ms == START_MS + 31_000
    assert one.stuck_from_ms == START_MS + 91_000
    assert counts() == {("STOCK_RESERVED", "Process payment"): 1}
    assert SagaFlow.objects.get().flow_id == one.flow_id


@pytest.mark.usefixtures("shop")
def test_batches_move_it_on_and_the_counters_with_it() -> None:
    put(events("OrderPlaced StockReserved", flow="f"))
    put(events("PaymentFailed@5 OrderCancelled@6", flow="f"))

    one = SagaInstance.objects.get()
    assert (one.state, one.ended_ms, one.timeout_at_ms) == ("CANCELLED", START_MS + 6_000, None)
    assert one.flags == 1 << Flag.MISSING_COMPENSATION
    assert counts() == {("CANCELLED", ""): 1}
    assert SagaFlag.objects.get().step == 0
    flagged = SagaFlagCount.objects.get()
    assert (flagged.step, flagged.n) == ("Reserve stock", 1)

    put(events("StockReleased@7", flow="f"))

    assert SagaInstance.objects.get().flags == 0
    assert not SagaFlag.objects.exists()
    assert SagaFlagCount.objects.get().n == 0
    assert {row.step for row in SagaDuration.objects.filter(n=1)} == {
        "Reserve stock",
        "Release stock",
    }


def test_two_sagas_in_one_flow_never_merge() -> None:
    declare(TRIP, by="test", valid_from=BEFORE)
    put(
        [
            *events("TripRequested FlightBooked HotelBooked", flow="f", payload={"trip": 1}),
            *events("TripRequested FlightBooked NoHotel", flow="f", payload={"trip": 2}),
            *events("FlightBooked", flow="f"),
        ]
    )

    found = {one.key: one.state for one in SagaInstance.objects.all()}
    assert found == {"1": "COMPLETED", "2": "COMPENSATING"}
    assert SagaFlow.objects.count() == 2


def test_a_flow_ends_by_what_its_definition_says_and_follows_a_rebuild() -> None:
    def states() -> dict[str, State]:
        return {flow.correlation_id: State(flow.state) for flow in Flow.objects.all()}

    put(events("TripRequested FlightBooked HotelBooked", flow="done", payload={"trip": 1}))
    put(events("TripRequested FlightBooked NoHotel", flow="failed", payload={"trip": 2}))
    put(events("TripRequested FlightBooked", flow="open", payload={"trip": 3}))
    assert set(states().values()) == {State.OPEN}

    declare(TRIP, by="test", valid_from=BEFORE)
    put(events("TripRequested FlightBooked HotelBooked", flow="new", payload={"trip": 4}))
    assert states()["new"] is State.DONE
    rebuild()

    assert states() == {
        "done": State.DONE,
        "new": State.DONE,
        "failed": State.FAILED,
        "open": State.OPEN,
    }
    assert {row.state: row.flows for row in FlowCount.objects.filter(flows__gt=0)} == {
        State.DONE: 2,
        State.FAILED: 1,
        State.OPEN: 1,
    }
    detail = read_flow("failed")
    assert detail is not None
    assert [item.role for item in detail.events] == [Role.PLAIN, Role.PLAIN, Role.FAILED]


def test_one_saga_may_span_flows() -> None:
    declare(TRIP, by="test", valid_from=BEFORE)
    put(events("TripRequested", flow="f", payload={"trip": 1}))
    put(events("FlightBooked HotelBooked", flow="g", payload={"trip": 1}))

    assert SagaInstance.objects.get().state == "COMPLETED"
    assert SagaFlow.objects.count() == 2


@pytest.mark.parametrize("rule", ["key", "header:trip"])
def test_a_key_that_an_event_lacks_makes_no_saga(rule: str) -> None:
    declare(TRIP.replace("$.trip", rule), by="test", valid_from=BEFORE)
    put(events("TripRequested", flow="f"))
    assert not SagaInstance.objects.exists()

    put(events("TripRequested", flow="f"), key=b"T-1")
    assert [one.key for one in SagaInstance.objects.all()] == (["T-1"] if rule == "key" else [])


@pytest.mark.usefixtures("shop")
def test_events_of_no_definition_cost_no_statement() -> None:
    bodies = events("Unknown " * 50, flow="f")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        put(bodies)

    writes = [query["sql"] for query in captured if "saga" in query["sql"]]
    assert all("tracing_sagadefinition" in sql for sql in writes)


@pytest.mark.usefixtures("shop")
def test_a_saga_belongs_to_the_version_of_its_start() -> None:
    put(events("OrderPlaced StockReserved", flow="f"))
    text = (SAGAS / "order.yaml").read_text().replace("PENDING", "BEGUN")
    second = declare(text, by="eve", valid_from=dt.datetime(2090, 1, 1, tzinfo=dt.UTC))
    assert second.version == 2
    assert RebuildRun.objects.get().asked_by == "eve"
    rebuild()
    assert SagaInstance.objects.get().version == 1

    assert move("Order", 2, valid_from=BEFORE + dt.timedelta(1), by="eve")
    rebuild()
    assert SagaInstance.objects.get().version == 2

    assert end("Order", by="eve") == 2
    rebuild()
    assert not SagaInstance.objects.exists()
    assert not SagaCount.objects.exists()


def test_a_definition_reaches_the_past_by_a_rebuild() -> None:
    put(events("OrderPlaced StockReserved", flow="f"))
    declare((SAGAS / "order.yaml").read_text(), by="test", valid_from=BEFORE)

    rebuild()

    assert SagaInstance.objects.get().state == "STOCK_RESERVED"
    assert SagaInstance.objects.get().flow_id is not None


def test_declaring_the_same_again_changes_nothing(shop: SagaDefinition) -> None:
    assert declare(shop.text, by="eve") == shop
    assert SagaDefinition.objects.count() == 1


def test_a_bad_text_in_the_table_stops_nobody(shop: SagaDefinition) -> None:
    SagaDefinition.objects.create(
        name="Bad", version=1, valid_from=BEFORE, text="saga: [", made_by="x", made_at=BEFORE
    )

    assert set(applied_sagas().versions) == {"Order"}


def test_the_command_declares_files(tmp_path, capsys) -> None:  # type: ignore[no-untyped-def]
    call_command("saga", str(SAGAS / "order.yaml"), "--valid-from", "2020-01-01")
    assert SagaDefinition.objects.get().valid_from == BEFORE
    assert capsys.readouterr().out == "Order: version 1 since 2020-01-01 00:00:00 UTC.\n"

    bad = tmp_path / "bad.yaml"
    bad.write_text("saga: A\nstart: B\n")
    with pytest.raises(CommandError, match=r"bad\.yaml: .* Line 2: `start` .* `starts`"):
        call_command("saga", str(bad))


def test_pruning_takes_whole_sagas_and_makes_others_again() -> None:
    declare(TRIP, by="test", valid_from=BEFORE)
    put(
        [
            *events("TripRequested FlightBooked", flow="old", payload={"trip": 1}),
            *events("FlightBooked@1", flow="old", payload={"trip": 2}),
            *events("TripRequested@90000 NoHotel@90001", flow="new", payload={"trip": 2}),
        ]
    )
    assert SagaInstance.objects.get(key="2").state == "COMPENSATING"

    pruner = Pruner(START_MS + 50_000_000, now_ms=START_MS + 200_000_000)
    while pruner.step().more:
        pass

    one = SagaInstance.objects.get()
    assert (one.key, one.state) == ("2", "CANCELLED")
    before = picture()
    rebuild()
    assert picture() == before


def picture() -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of all tables, without what a rebuild numbers anew."""
    volatile = {"flow_id", "facts"}
    tables = (SagaInstance, SagaFlag, SagaCount, SagaFlagCount, SagaDuration)
    found = {}
    for model in tables:
        names = [field.name for field in model._meta.concrete_fields if field.name not in volatile]
        rows = model._default_manager.values_list(*[name for name in names if name != "pk"])
        found[model.__name__] = sorted(
            (row for row in rows if model in (SagaInstance, SagaFlag) or row[-1]), key=repr
        )
    return found
