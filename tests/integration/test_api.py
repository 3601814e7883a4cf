"""The JSON API over HTTP, on a real log."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from tests.integration.log import record, write
from tests.integration.people import somebody
from tracing.web.address import event_api_url, flow_api_url

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def api(client: Client) -> Client:
    """Return a client of somebody who is signed in."""
    client.force_login(somebody())
    return client


def get(api: Client, path: str, status: int = 200) -> Any:
    """Return the JSON of an address."""
    answer = api.get(path)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/json"
    return answer.json()


def test_a_flow_has_events_edges_and_marks(api: Client) -> None:
    write(
        record("e1", at_ms=1_700_000_000_000),
        record("e2", "PaymentFailed", cause="e1", at_ms=1_700_000_000_038),
        record("e3", "StockReleased", cause="gone", at_ms=1_700_000_001_000),
    )

    flow = get(api, "/api/flows/o-1")

    assert flow["correlation_id"] == "o-1"
    assert flow["state"] == "compensated"
    assert flow["key"] == "ORD-1"
    assert flow["started_at"] == "2023-11-14T22:13:20.000Z"
    assert flow["last_at"] == "2023-11-14T22:13:21.000Z"
    assert flow["duration_ms"] == 1000
    assert [event["event_id"] for event in flow["events"]] == ["e1", "e2", "e3"]
    assert flow["edges"] == [{"cause": "e1", "effect": "e2", "latency_ms": 38}]
    assert flow["marks"] == ["missing_cause"]


def test_an_event_shows_everything_of_its_record(api: Client) -> None:
    write(
        record(
            "e1",
            payload={"total": 1.5},
            headers=(("x", None), ("x", b"\xff")),
            at_ms=1_700_000_000_000,
        ),
        record("e1"),
    )

    event = get(api, "/api/events/e1")

    expected = {
        "event_id": "e1",
        "type": "OrderPlaced",
        "schema_version": "1",
        "correlation_id": "o-1",
        "causation_id": None,
        "source": "order-service",
        "occurred_at": "2023-11-14T22:13:20.000Z",
        "topic": "orders",
        "partition": 0,
        "offset": 0,
        "key": "ORD-1",
        "headers": [["source", "order-service"], ["x", None], ["x", {"base64": "/w=="}]],
        "payload": {"total": 1.5},
        "marks": ["duplicate"],
        "redeliveries": ["orders[0]@1"],
    }
    assert {name: event[name] for name in expected} == expected


def test_events_are_listed_newest_first_with_a_cursor(api: Client) -> None:
    write(*(record(f"e{number}") for number in range(5)))

    first = get(api, "/api/events?limit=3")
    second = get(api, f"/api/events?limit=3&cursor={first['next']}")

    assert [event["event_id"] for event in first["events"]] == ["e4", "e3", "e2"]
    assert [event["event_id"] for event in second["events"]] == ["e1", "e0"]
    assert second["next"] is None


def test_events_are_filtered(api: Client) -> None:
    write(record("e1"), record("e2", "StockReserved", topic="stock", service="inventory"))

    for query in ("type=StockReserved", "topic=stock", "service=inventory", "text=STOCK"):
        found = get(api, f"/api/events?{query}")["events"]
        assert [event["event_id"] for event in found] == ["e2"], query


def test_flows_are_listed_and_filtered(api: Client) -> None:
    write(record("e1"), record("e2", "PaymentFailed", flow="o-2"))

    every = get(api, "/api/flows")
    failed = get(api, "/api/flows?state=failed&type=PaymentFailed")
    page = get(api, "/api/flows?limit=1")

    assert {flow["correlation_id"] for flow in every["flows"]} == {"o-1", "o-2"}
    assert every["next"] is None
    assert [flow["correlation_id"] for flow in failed["flows"]] == ["o-2"]
    behind = get(api, f"/api/flows?limit=1&cursor={page['next']}")
    both = {flow["correlation_id"] for flow in page["flows"] + behind["flows"]}
    assert both == {"o-1", "o-2"}


@pytest.mark.parametrize(
    "odd",
    ["a/b", "..", ".", "~x", "x\ny", "<script>", "ü☃", "%2F", "a?b#c", "api", "a b", "x" * 400],
)
def test_any_id_has_its_address(api: Client, odd: str) -> None:
    write(record(odd, flow=odd))

    assert get(api, flow_api_url(odd))["correlation_id"] == odd
    assert get(api, event_api_url(odd))["event_id"] == odd


@pytest.mark.parametrize("odd", ["nul\x00", "x" * 5_000])
def test_an_id_that_cannot_be_stored_whole_is_found_all_the_same(api: Client, odd: str) -> None:
    write(record(odd, flow=odd))

    assert get(api, flow_api_url(odd))["events"][0]["event_id"]
    assert len(get(api, event_api_url(odd))["event_id"]) <= 400


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        (b'{"eventId": "e1", "eventType": "T", "payload": {"a": "\\u0000<script>"}}', None),
        (b"\xff\x00", {"base64": "/wA="}),
        (b"[" * 5_000 + b"]" * 5_000, None),
        (b'{"eventId": "e1", "eventType": "T", "payload": NaN}', None),
    ],
)
def test_hostile_values_give_valid_json(api: Client, value: bytes, payload: object) -> None:
    write(record("", value=value))

    listed = get(api, "/api/events")["events"]
    event = get(api, f"/api/events/{quote(listed[0]['event_id'], safe='')}")

    assert len(listed) == 1
    if payload is not None:
        assert event["payload"] == payload


def test_a_large_payload_is_whole_alone_and_cut_in_a_list(api: Client) -> None:
    write(record("e1", payload="x" * 1_000_000), record("e2", payload="y" * 1_100_000))

    listed = get(api, "/api/events")["events"]
    whole, larger = get(api, "/api/events/e1"), get(api, "/api/events/e2")
    raw = api.get("/api/events/e2?raw=1")

    assert [event["payload_truncated"] for event in listed] == [True, True]
    assert all(len(event["payload"]) < 20_000 for event in listed)
    assert (whole["payload_truncated"], len(whole["payload"])) == (False, 1_000_000)
    assert larger["payload_truncated"] is True
    assert raw["Content-Type"] == "application/octet-stream"
    assert b"y" * 1_100_000 in raw.content


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/flows?state=odd", 400, "state:"),
        ("/api/flows?cursor=odd", 400, "cursor:"),
        ("/api/flows?limit=1000", 400, "limit:"),
        ("/api/flows?since=odd", 400, "since:"),
        ("/api/flows?mark=odd", 400, "mark:"),
        ("/api/flows?tpye=x", 400, "tpye:"),
        ("/api/events?cursor=-1", 400, "cursor:"),
        ("/api/events?before=x", 400, "before:"),
        ("/api/flows/nobody", 404, "correlation id"),
        ("/api/events/nobody", 404, "has this id"),
        ("/api/", 404, "/api/flows"),
        ("/api/flow", 404, "/api/flows"),
    ],
)
def test_errors_are_json_and_say_what_to_do(
    api: Client, path: str, status: int, words: str
) -> None:
    assert words in get(api, path, status)["error"]


def test_it_only_reads(api: Client) -> None:
    answer = api.post("/api/flows")

    assert answer.status_code in {403, 405}


def test_a_stranger_is_refused_with_json(client: Client) -> None:
    assert "Sign in" in get(client, "/api/flows", 401)["error"]
