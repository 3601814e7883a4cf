"""What a hostile producer sent does nothing in a real browser."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.servers.product import Product
from tests.strangers import hostile
from tests.strangers.producing import create_topics, send
from tracing.domain.text import clean

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def attacked(product: Product) -> Product:
    """Return the product after everything hostile has been stored."""
    create_topics(product.broker, [hostile.TOPIC])
    records = [*hostile.texts(), *hostile.broken()]
    send(product.broker, records)
    product.wait_for(lambda: len(product.events()) >= len(records), "everything is stored")
    return product


def assert_harmless(page: Page, address: str) -> None:
    """Fail when a script ran, foreign markup became elements, or the page went elsewhere."""
    assert page.url == address
    assert page.evaluate("window.pwned") is None
    assert page.locator('[hx-get="/logout/"], [hx-on\\:load], img[src="x"]').count() == 0
    assert page.locator("#content").is_visible()


@pytest.mark.parametrize("path", ["/flows/", "/tail/", "/search/"])
def test_a_list_of_hostile_texts_is_only_text(page: Page, attacked: Product, path: str) -> None:
    address = attacked.url + path

    page.goto(address)

    page.wait_for_load_state("networkidle")
    assert_harmless(page, address)


def test_hostile_texts_that_arrive_live_are_only_text(page: Page, attacked: Product) -> None:
    address = f"{attacked.url}/tail/"
    page.goto(address)
    expect(page.locator("html")).to_have_attribute("data-connection", "open")
    first = page.locator("#tail-rows > .tail-row").first
    before = first.get_attribute("data-position")

    send(attacked.broker, hostile.texts())

    expect(first).not_to_have_attribute("data-position", before or "")
    page.wait_for_load_state("networkidle")
    assert_harmless(page, address)


@pytest.mark.parametrize("name", sorted(hostile.TEXTS))
def test_the_page_of_a_hostile_flow_is_only_text(page: Page, attacked: Product, name: str) -> None:
    text = hostile.TEXTS[name]
    event = attacked.json(f"/api/events/{quote(clean(f'{text}1'), safe='')}")
    flow = event["correlation_id"]
    segment = quote(f"~{flow}" if flow in {".", ".."} else flow, safe="")
    address = f"{attacked.url}/flows/{segment}?event={quote(event['event_id'], safe='')}"

    page.goto(address)

    page.wait_for_load_state("networkidle")
    assert "/flows/" in page.url
    assert_harmless(page, page.url)
