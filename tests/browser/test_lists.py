"""The flow list in a browser: rows that come by themselves, and rows that must not move."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.servers.product import Product
from tests.strangers.producing import Sent, create_topics, envelope, send

pytestmark = pytest.mark.slow

TOP = (700, 20)


@pytest.fixture
def service(product: Product) -> str:
    """Return a service of this test alone, whose topic the ingestor already follows."""
    name = f"lists-{uuid.uuid4().hex[:6]}"
    create_topics(product.broker, [name], partitions=1)
    produce(product, name, "warm")
    product.wait_for_flow(f"{name}-warm", 1)
    return name


def produce(product: Product, service: str, *flows: str, event_type: str = "OrderPlaced") -> None:
    """Send one event to each of these flows."""
    send(
        product.broker,
        [
            Sent(
                service,
                envelope(event_type, correlation_id=f"{service}-{flow}"),
                headers=(("source", service.encode()),),
            )
            for flow in flows
        ],
    )


def watch(page: Page, product: Product, service: str) -> None:
    """Open the service's flows and wait until the list is live; the pointer is elsewhere."""
    page.goto(f"{product.url}/flows/?service={service}")
    expect(page.locator("html")).to_have_attribute("data-connection", "open")
    page.mouse.move(*TOP)


def test_flows_come_by_themselves_and_change_in_place(
    page: Page, product: Product, service: str
) -> None:
    watch(page, product, service)
    rows = page.locator("#flow-rows > a")
    expect(rows).to_have_count(1)

    produce(product, service, "one", "two")
    expect(rows).to_have_count(3)
    produce(product, service, "warm", event_type="PaymentFailed")

    expect(rows.last).to_have_attribute("data-state", "failed")
    expect(rows.last).to_contain_text("PaymentFailed")


def test_rows_stand_still_under_the_pointer_and_a_click_catches_up(
    page: Page, product: Product, service: str
) -> None:
    watch(page, product, service)
    rows = page.locator("#flow-rows > a")
    rows.first.hover()

    produce(product, service, "one", "two", "three")
    pill = page.get_by_role("button", name="3 new")
    expect(pill).to_be_visible()
    expect(rows).to_have_count(1)
    pill.click()

    expect(rows).to_have_count(4)
    expect(pill).to_be_hidden()


def test_a_pause_holds_new_rows_back_and_resuming_shows_them(
    page: Page, product: Product, service: str
) -> None:
    watch(page, product, service)
    rows = page.locator("#flow-rows > a")

    page.keyboard.press("p")
    expect(page.locator("html")).to_have_attribute("data-connection", "paused")
    produce(product, service, "one", "two")
    expect(page.locator("[data-new-count]")).to_have_text("2")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Resume").click()

    expect(rows).to_have_count(3)
    expect(page.locator("[data-new]")).to_be_hidden()
    expect(page.locator("html")).to_have_attribute("data-connection", "open")


def test_the_pill_of_a_paused_list_resumes(page: Page, product: Product, service: str) -> None:
    watch(page, product, service)
    page.locator("[data-pause]").click()
    produce(product, service, "one")

    page.get_by_role("button", name="1 new").click()

    expect(page.locator("#flow-rows > a")).to_have_count(2)
    expect(page.locator("[data-pause]")).to_have_attribute("aria-pressed", "false")


def test_a_page_without_a_socket_says_that_it_is_not_live(page: Page, product: Product) -> None:
    page.goto(f"{product.url}/search/?q=nothing")

    expect(page.locator("#shell-live")).to_have_text("Snapshot", use_inner_text=True)


def test_a_flow_that_no_longer_matches_stays_only_while_it_is_looked_at(
    page: Page, product: Product, service: str
) -> None:
    watch(page, product, f"{service}&state=running")
    rows = page.locator("#flow-rows > a")
    rows.first.hover()

    produce(product, service, "warm", event_type="OrderCompleted")
    expect(rows.first).to_have_attribute("data-state", "done")
    page.mouse.move(*TOP)
    produce(product, service, "one")

    expect(rows).to_have_count(1)
    expect(rows.first).to_have_attribute("data-state", "running")


def test_keys_move_between_rows_and_open_one(page: Page, product: Product, service: str) -> None:
    produce(product, service, "one", "two")
    product.wait_for_flow(f"{service}-two", 1)
    watch(page, product, service)
    rows = page.locator("#flow-rows > a")
    expect(rows).to_have_count(3)

    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(rows.nth(1)).to_be_focused()
    target = rows.nth(1).get_attribute("href")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{target}")


def test_a_slash_finds_a_flow(page: Page, product: Product, service: str) -> None:
    watch(page, product, service)

    page.keyboard.press("/")
    page.keyboard.type(f"{service}-warm")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**/flows/{service}-warm")


def test_a_menu_narrows_as_one_types_and_its_entry_filters(
    page: Page, product: Product, service: str
) -> None:
    page.goto(f"{product.url}/flows/")

    page.locator("summary", has_text="Service").click()
    expect(page.locator("details[open] [data-narrow]")).to_be_focused()
    page.keyboard.type(service[:9])
    page.get_by_role("link", name=service).click()

    page.wait_for_url(f"**/flows/?service={service}")
    expect(page.locator(".active")).to_contain_text(service)


def test_a_chosen_theme_stays(page: Page, product: Product) -> None:
    page.goto(f"{product.url}/flows/")
    theme = page.get_by_role("button", name="Theme")

    theme.click()
    theme.click()
    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_restarted_server_is_found_again(
    page: Page, product: Product, service: str, complaints: list[str]
) -> None:
    watch(page, product, service)

    product.processes["web"].end()
    expect(page.get_by_text("Reconnecting…")).to_be_visible()
    expect(page.get_by_text("Disconnected")).to_be_visible()
    product.start_web()
    produce(product, service, "meanwhile")

    expect(page.locator("html")).to_have_attribute("data-connection", "open")
    expect(page.locator("#flow-rows > a")).to_have_count(2)
    expect(page.get_by_text("Disconnected")).to_be_hidden()
    # The browser says of each attempt that nobody answered.
    complaints.clear()
