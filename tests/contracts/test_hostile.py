"""What a hostile or broken producer sends is stored and shown, and nothing breaks."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.servers.embedded import embedded_broker
from tests.servers.product import Product, running_product
from tests.strangers import hostile
from tests.strangers.producing import Sent, create_topics, envelope, send
from tracing.domain.text import clean

pytestmark = [pytest.mark.slow, pytest.mark.broker]


def address(text: str) -> str:
    """Return an id as the product's addresses carry it."""
    return quote(f"~{text}" if text in {".", ".."} else text, safe="")


HONEST = "honest"


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def attacked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """Yield a product, on either database, after everything hostile has been stored."""
    database = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    folder = tmp_path_factory.mktemp("attacked")
    with (
        embedded_broker(folder) as broker,
        running_product(folder, broker, database=database) as product,
    ):
        create_topics(broker, [hostile.TOPIC])
        records = [*hostile.texts(), *hostile.broken()]
        send(broker, records)
        product.wait_for(lambda: len(product.events()) >= len(records), "everything is stored")
        yield product


def test_every_record_is_stored_once(attacked: Product) -> None:
    records = [*hostile.texts(), *hostile.broken()]

    # Other tests of this module may have sent their own, honest, record before.
    events = [event for event in attacked.events() if event["correlation_id"] != HONEST]

    places = {(event["topic"], event["partition"], event["offset"]) for event in events}
    assert len(events) == len(places) == len(records)


@pytest.mark.parametrize("path", ["/flows/", "/tail/", "/api/flows", "/api/events", "/search/"])
def test_a_list_answers_and_escapes(attacked: Product, path: str) -> None:
    status, body = attacked.get(path)

    assert status == 200
    if not path.startswith("/api/"):
        assert_escaped(body)


@pytest.mark.parametrize("name", sorted(hostile.TEXTS))
def test_a_flow_with_any_id_has_a_page_and_escapes_it(attacked: Product, name: str) -> None:
    text = hostile.TEXTS[name]
    event_id = clean(f"{text}1")
    flow_id = attacked.json(f"/api/events/{address(event_id)}")["correlation_id"]

    status, body = attacked.get(f"/flows/{address(flow_id)}")
    flow = attacked.json(f"/api/flows/{address(flow_id)}")
    search, found = attacked.get(f"/search/?q={quote(text)}")

    assert (status, search) == (200, 200)
    assert_escaped(body)
    assert_escaped(found)
    assert flow["correlation_id"] == flow_id


def test_every_event_has_a_page_and_json(attacked: Product) -> None:
    for event in attacked.events():
        flow, event_id = event["correlation_id"], event["event_id"]

        status, body = attacked.get(f"/flows/{address(flow)}?event={quote(event_id, safe='')}")
        found, _ = attacked.get(f"/api/events/{address(event_id)}")

        assert (status, found) == (200, 200), (flow[:80], event_id[:80])
        assert_escaped(body)
        assert len(body) < 2_000_000


def test_filters_and_cursors_of_any_text_answer(attacked: Product) -> None:
    for text in [*hostile.TEXTS.values(), "\x00", "x" * 500, "9" * 400]:
        value = quote(text)
        for path in (
            f"/flows/?type={value}&service={value}&state={value}&mark={value}",
            f"/flows/?cursor={value}",
            f"/flows/?since={value}&until={value}",
            f"/tail/?type={value}&topic={value}&text={value}",
            f"/search/?q={value}",
            f"/api/flows?cursor={value}&type={value}",
            f"/api/events?cursor={value}&topic={value}",
            f"/api/events/{value}",
            f"/flows/{value}",
            f"/shop/?flow={value}&order={value}",
        ):
            status, body = attacked.get(path)

            assert status < 500, path[:200]
            if not path.startswith("/api/"):
                assert_escaped(body)


def test_an_honest_flow_afterwards_is_shown(attacked: Product) -> None:
    value = envelope("OrderPlaced", correlation_id=HONEST, payload={"orderId": "ORD-1"})

    send(attacked.broker, [Sent(hostile.TOPIC, value, b"ORD-1")])

    assert attacked.wait_for_flow(HONEST, events=1)["events"][0]["type"] == "OrderPlaced"


def assert_escaped(html: str) -> None:
    """Fail when any of the texts stands in the page as markup."""
    lower = html.lower()
    for markup in ("<script>window", "<img src=x", '<b hx-get="/logout/', "<i hx-on", "gone</div>"):
        assert markup not in lower
    assert "<style>*" not in lower
    assert "\x00" not in html
