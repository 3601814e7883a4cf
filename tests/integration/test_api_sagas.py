"""Sagas over HTTP as JSON."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
from django.test import Client

from tests.integration.people import somebody
from tests.integration.sagas import START_MS, events, put
from tests.unit.domain.saga.test_derive import SAGAS
from tracing.projections.saga_decisions import declare

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def api(client: Client) -> Client:
    """Return a client of somebody who is signed in, with both shops' sagas."""
    client.force_login(somebody())
    for file in sorted(SAGAS.glob("*.yaml")):
        valid_from = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        declare(file.read_text(), by="test", valid_from=valid_from)
    return client


def get(api: Client, path: str, status: int = 200) -> Any:
    """Return the JSON of an address."""
    answer = api.get(path)
    assert answer.status_code == status, answer.content
    return answer.json()


def keys(api: Client, query: str) -> list[str]:
    """Return the keys of the sagas that are listed."""
    return [saga["key"] for saga in get(api, f"/api/sagas?{query}")["sagas"]]


def test_a_saga_has_steps_history_and_flags(api: Client) -> None:
    put(
        events(
            "OrderSubmitted ReserveStock StockReserved ProcessPayment PaymentProcessed"
            " ShipmentFailed StockReleased OrderCancelled",
            flow="f",
            payload={"reason": "no carrier"},
        )
    )

    (line,) = get(api, "/api/sagas")["sagas"]
    one = get(api, f"/api/sagas/{line['id']}")

    assert (one["definition"], one["version"], one["key"]) == ("Orchestrated order", 1, "f")
    assert (one["correlation_id"], one["state"], one["phase"]) == ("f", "CANCELLED", "cancelled")
    assert one["started_at"] == "2023-11-14T22:13:20.000Z"
    assert one["ended_at"] == "2023-11-14T22:13:27.000Z"
    assert one["reason"] == "no carrier"
    reserve, pay, ship = one["steps"]
    assert (reserve["name"], reserve["status"]) == ("Reserve stock", "done")
    assert (reserve["event_id"], reserve["command_id"]) == (
        "f-StockReserved-2",
        "f-ReserveStock-1",
    )
    assert reserve["compensation"]["status"] == "done"
    assert reserve["compensation"]["event_id"] == "f-StockReleased-6"
    assert pay["compensation"]["status"] == "missing"
    assert (ship["status"], ship["compensation"], ship["timeout_at"]) == ("failed", None, None)
    assert [change["state"] for change in one["history"]] == [
        "PENDING",
        "STOCK_RESERVED",
        "PAYMENT_PROCESSED",
        "COMPENSATING",
        "CANCELLED",
    ]
    assert one["history"][-1]["event_id"] == "f-OrderCancelled-7"
    assert one["flags"] == [{"flag": "missing_compensation", "step": "Process payment"}]
    assert line["flags"] == ["missing_compensation"]


def test_a_running_saga_says_when_it_is_overdue(api: Client) -> None:
    put(events("OrderPlaced", flow="late"))
    ahead_s = time.time() - START_MS / 1_000 + 3_600
    put(events(f"OrderPlaced@{ahead_s:.0f}", flow="soon"))

    assert keys(api, "overdue=1") == ["late"]
    assert keys(api, "stuck=true&definition=Order") == ["late"]
    assert keys(api, "overdue=0") == ["soon", "late"]
    late = get(api, "/api/sagas?overdue=1")["sagas"][0]
    assert (late["overdue"], late["stuck"], late["step"]) == (True, True, "Reserve stock")
    assert late["timeout_at"] == "2023-11-14T22:13:30.000Z"
    one = get(api, f"/api/sagas/{late['id']}")
    assert one["steps"][0]["timeout_at"] == late["timeout_at"]
    assert one["to_come"] == ["Reserve stock", "Process payment", "Create shipment", "COMPLETED"]


def test_sagas_are_filtered(api: Client) -> None:
    put(events("OrderPlaced@0 StockReserved@1", flow="a"))
    put(events("OrderPlaced@2 StockReserved@3 StockReserved@4", flow="b"))
    put(events("OrderSubmitted@5", flow="c"))
    put(events("OrderPlaced@6 OrderCompleted@7", flow="d"))

    assert keys(api, "") == ["d", "c", "b", "a"]
    assert keys(api, "definition=Order") == ["d", "b", "a"]
    assert keys(api, "definition=Order&state=STOCK_RESERVED") == ["b", "a"]
    assert keys(api, "state=completed") == ["d"]
    assert keys(api, "flag=doubled_step") == ["b"]
    assert set(keys(api, "definition=Order&step=Process+payment")) == {"a", "b"}
    assert keys(api, "key=c") == ["c"]
    assert keys(api, "key=nobody") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "definition=Order&state=nothing",
            (
                "state: one of running, compensating, failed, completed, cancelled, PENDING,"
                " STOCK_RESERVED, PAYMENT_PROCESSED,"
            ),
        ),
        ("definition=Trip", "definition: one of Orchestrated order, Order."),
        ("step=Sleep", "step: one of Reserve stock, Process payment, Create shipment, Release"),
        ("flag=x", "flag: one of missing_compensation,"),
    ],
)
def test_a_filter_that_names_nothing_says_what_there_is(
    api: Client, query: str, expected: str
) -> None:
    put(events("OrderPlaced", flow="a"))

    said = get(api, f"/api/sagas?{query}", 400)["error"]

    assert said.startswith(expected)
    for known in (
        "state=COMPENSATION_FAILED",
        "step=CANCELLED",
        "state=PENDING&step=Reserve+stock",
    ):
        get(api, f"/api/sagas?{known}")


def test_a_list_goes_on_by_cursor(api: Client) -> None:
    bodies = [
        body for number in range(7) for body in events(f"OrderPlaced@{number}", flow=f"o{number}")
    ]
    put(bodies)

    found, cursor = [], ""
    while True:
        page = get(api, f"/api/sagas?limit=3&cursor={cursor}")
        found += [saga["key"] for saga in page["sagas"]]
        if page["next"] is None:
            break
        cursor = page["next"]

    assert found == ["o6", "o5", "o4", "o3", "o2", "o1", "o0"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("flag=odd", "flag: one of missing_compensation"),
        ("overdue=maybe", "overdue: one of"),
        ("cursor=x", "cursor: a `next` of ours"),
        ("stat=x", "stat: unknown"),
        ("limit=0", "limit: 1 to 200"),
    ],
)
def test_a_wrong_parameter_is_named(api: Client, query: str, words: str) -> None:
    assert words in get(api, f"/api/sagas?{query}", 400)["error"]


def test_an_unknown_saga_is_not_found(api: Client) -> None:
    assert "No saga" in get(api, f"/api/sagas/{'0' * 32}", 404)["error"]
    assert "No saga" in get(api, "/api/sagas/\u00e4", 404)["error"]
