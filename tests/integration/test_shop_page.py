"""The shop's page places orders and loses nothing when it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest
from django.test import Client

from tests.integration.log import record, write
from tests.integration.people import browser_of, somebody
from tests.servers.processes import free_port, wait_for
from tracing.demo import counter
from tracing.demo.scenarios import CHOREOGRAPHED, PLAYS, Pattern
from tracing.demo.sockets import OrderSocket
from tracing.kafka.group_consumer import GroupConsumer
from tracing.models import Ingestor
from tracing.web.access import Role

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.integration.shop_urls")]


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(somebody("olga", Role.OPERATOR))
    return client


@pytest.fixture(autouse=True)
def fresh_counter() -> Iterator[None]:
    """Let each test connect anew."""
    yield
    while counter._open:
        counter._forget(counter._open[0])


def test_it_shows_the_form_and_who_does_what(operator: Client) -> None:
    page = operator.get("/shop/").content.decode()

    assert len(re.findall(r'type="radio" name="scenario"', page)) == len(PLAYS)
    assert re.search(r'value="fine" checked', page)
    assert "Who does what" in page
    assert "hears <b>PaymentFailed</b>" in page
    assert "tells <b>StockReleased</b> or <b>StockReleaseFailed</b>" in page
    assert re.findall(r'type="radio" name="pattern" value="(\w+)"', page) == list(Pattern)
    assert "asks for <b>ProcessPayment</b>" in page
    assert "does <b>RefundPayment</b>" in page
    # Its frame, with the state of the ingest, is as live as elsewhere.
    assert 'ws-connect="/live/order"' in page
    assert 'href="/shop/"' in page


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("running", "any moment"),
        ("waiting", "reaches the broker again"),
        ("stopped", "not running"),
    ],
)
def test_it_promises_nothing_that_the_ingest_cannot_keep(
    operator: Client, state: str, says: str
) -> None:
    Ingestor.objects.create(name="one", state=state, seen_at=datetime.now(UTC))
    socket = OrderSocket()
    socket.scope = {"query_string": b"id=not-stored-yet"}

    page = operator.get("/shop/?order=ORD-7&flow=not-stored-yet").content.decode()
    later = socket.render_clock()

    for told in (page, later):
        assert says in told
    assert ("any moment" in page) is (state == "running")
    assert socket.clock_s


def test_a_placed_order_is_pending_at_once(operator: Client) -> None:
    page = operator.get("/shop/?order=ORD-7&flow=not-stored-yet").content.decode()

    assert "ORD-7" in page
    assert 'data-status="pending"' in page
    assert "Order received! We&#x27;ll confirm availability shortly." in page
    assert 'ws-connect="/live/order?id=not-stored-yet"' in page
    # A link leads to what is there.
    assert 'href="/flows/not-stored-yet"' not in page


def stored_decline(flow: str) -> None:
    chain = [
        ("OrderPlaced", None, "order", None),
        ("StockReserved", "OrderPlaced", "inventory", None),
        ("PaymentFailed", "StockReserved", "payment", {"reason": "card_declined"}),
    ]
    write(
        *(
            record(f"{flow} {kind}", kind, flow=flow, cause=cause and f"{flow} {cause}", service=by,
                   payload=payload, key=b"ORD-<9>", at_ms=1_000 + at)
            for at, (kind, cause, by, payload) in enumerate(chain)
        )
    )  # fmt: skip


def test_it_tells_what_is_stored_of_an_order(operator: Client) -> None:
    stored_decline("f/<1>")

    page = operator.get(f"/shop/?{urlencode({'order': 'ORD-1', 'flow': 'f/<1>'})}").content.decode()

    assert "ORD-&lt;9&gt;" in page
    assert 'data-status="confirmed"' in page
    assert "Your card was declined. We&#x27;re cancelling your order." in page
    assert page.count('class="card ') == 3
    assert 'href="/flows/f%2F%3C1%3E?event=' in page
    assert 'href="/flows/f%2F%3C1%3E">Open the flow' in page


def test_its_socket_sends_the_same_fragments() -> None:
    stored_decline("f-2")
    socket = OrderSocket()
    socket.scope = {"query_string": b"id=f-2"}

    sent = socket.render_state(0)

    assert socket.subscription() == ("order", "f-2")
    for target in ("shop-status", "shop-told", "flow-graph", "flow-list"):
        assert re.search(rf'id="{target}"[^>]*hx-swap-oob="true"', sent)
    assert socket.render_clock() == ""
    assert socket.clock_s == 0
    nothing = OrderSocket()
    nothing.scope = {"query_string": b"id=nothing"}
    assert nothing.render_state(0) == ""


def test_without_an_order_the_socket_sends_the_frame_alone() -> None:
    socket = OrderSocket()
    socket.scope = {"query_string": b""}

    assert socket.render_state(0) == ""
    assert socket.render_clock() == ""


def test_hostile_ids_are_text(operator: Client) -> None:
    query = urlencode({"order": '"><script>alert(1)</script>', "flow": "a&b=<c>/../\n\x00"})

    answer = operator.get(f"/shop/?{query}")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<script>alert" not in page
    assert "id=a%26b%3D%3Cc%3E" in page


@pytest.mark.broker
def test_placing_an_order_publishes_it_and_opens_its_status(
    operator: Client, broker: str, settings: Any
) -> None:
    settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS = [broker]

    answer = operator.post("/shop/", {"scenario": "slow-payment"})

    assert answer.status_code == 303
    asked = {name: value[0] for name, value in parse_qs(urlsplit(answer["Location"]).query).items()}
    listener = GroupConsumer(
        [broker], group="page-test", topics=["orders"], session_timeout_ms=2_000
    )
    try:
        [record] = wait_for(
            lambda: [it for it in listener.poll(100) if it.key == asked["order"].encode()],
            "the order",
        )
    finally:
        listener.close()
    assert asked["order"].startswith("WEB-")
    envelope = msgspec.json.decode(record.value or b"")
    assert envelope["correlationId"] == asked["flow"]
    assert envelope["payload"]["scenario"] == asked["scenario"] == "slow-payment"
    assert record.header("source") == b"order"
    assert re.match(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-", record.header("traceparent") or b"")


def test_without_kafka_the_choice_is_kept(operator: Client, settings: Any) -> None:
    settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS = [f"127.0.0.1:{free_port()}"]

    choice = {"scenario": "out-of-stock", "pattern": "orchestration"}
    answer = operator.post("/shop/?order=ORD-7&flow=f", choice)

    page = answer.content.decode()
    assert answer.status_code == 503
    assert "Kafka does not answer, so the order was not placed." in page
    assert re.search(r'value="out-of-stock" checked', page)
    assert re.search(r'value="orchestration" checked', page)
    assert "ORD-7" in page


@pytest.mark.parametrize("choice", [{"scenario": "<b>"}, {"scenario": "fine", "pattern": "jazz"}])
def test_an_unknown_choice_is_refused(operator: Client, choice: dict[str, str]) -> None:
    answer = operator.post("/shop/", choice)

    assert answer.status_code == 400
    assert "Pick what shall happen" in answer.content.decode()


def test_a_viewer_may_look_but_not_order(client: Client) -> None:
    client.force_login(somebody("vera", Role.VIEWER))

    assert "Operators may place orders." in client.get("/shop/").content.decode()
    assert client.post("/shop/", {"scenario": "fine"}).status_code == 403


def test_another_origin_places_nothing() -> None:
    strict = browser_of(somebody("olga", Role.OPERATOR), checks_forms=True)

    assert strict.post("/shop/", {"scenario": "fine"}).status_code == 403


def test_what_the_orchestrated_shop_cannot_play_is_refused_by_it(operator: Client) -> None:
    page = operator.get("/shop/").content.decode()
    refused = operator.post("/shop/", {"scenario": "unknown-version", "pattern": "orchestration"})

    assert len(re.findall(r'data-only="choreography"', page)) == len(CHOREOGRAPHED)
    assert refused.status_code == 400
    assert "by choreography only" in refused.content.decode()
