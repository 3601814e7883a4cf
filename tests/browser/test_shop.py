"""Orders placed on the shop's page, watched to their last event without a reload."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.servers.product import Product

pytestmark = pytest.mark.slow

# The bank takes its time, and a busy machine too.
GROWN_MS = 20_000


def place_order(page: Page, shop: Product, scenario: str) -> None:
    """Pick what shall happen and place the order."""
    page.goto(f"{shop.url}/shop/")
    page.locator(f'input[name="scenario"][value="{scenario}"]').check()
    page.get_by_role("button", name="Place the order").click()
    page.wait_for_url("**/shop/*")
    # A reload would forget it.
    page.evaluate("window.sameDocument = true")


def expect_grown(page: Page, types: list[str], status: str) -> None:
    """Wait until the graph shows the types and the status is reached, in the same document."""
    for name in types:
        card = page.locator(".shop-flow a.card").filter(has_text=name)
        expect(card).to_be_visible(timeout=GROWN_MS)
    expect(page.locator(f'#shop-status [data-status="{status}"]')).to_be_visible(timeout=GROWN_MS)
    assert page.evaluate("window.sameDocument") is True


def test_an_order_that_goes_well_grows_to_its_last_event(page: Page, shop: Product) -> None:
    place_order(page, shop, "fine")

    expect_grown(
        page,
        [
            "OrderPlaced",
            "OrderAcknowledged",
            "StockReserved",
            "PaymentProcessed",
            "ShipmentCreated",
            "NotificationSent",
            "OrderCompleted",
        ],
        "completed",
    )


def test_an_order_whose_payment_is_declined_is_undone(page: Page, shop: Product) -> None:
    place_order(page, shop, "payment-declined")

    expect_grown(
        page,
        ["OrderPlaced", "StockReserved", "PaymentFailed", "StockReleased", "OrderCancelled"],
        "cancelled",
    )
    expect(page.locator(".shop-flow")).not_to_contain_text("PaymentProcessed")


def test_an_order_that_cannot_be_undone_ends_failed(page: Page, shop: Product) -> None:
    place_order(page, shop, "nothing-undone")

    expect_grown(page, ["StockReserved", "PaymentFailed", "StockReleaseFailed"], "on hold")
    page.get_by_role("link", name="Open the flow").click()
    expect(page.locator(".chip.fail").filter(has_text="failed").first).to_be_visible()


def test_the_flows_list_shows_a_new_order_by_itself(page: Page, shop: Product) -> None:
    page.goto(f"{shop.url}/flows/")
    expect(page.locator("html")).to_have_attribute("data-connection", "open")
    page.evaluate("window.sameDocument = true")
    other = page.context.new_page()
    place_order(other, shop, "fine")
    order = other.locator("#shop-order-id").inner_text()
    other.close()

    expect(page.locator("#content")).to_contain_text(order)
    assert page.evaluate("window.sameDocument") is True
