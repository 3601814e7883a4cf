"""Orders placed on the shop's page, watched to their last event without a reload."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.browser.moves import follow
from tests.servers.product import Product

pytestmark = pytest.mark.slow

# The bank takes its time, and a busy machine too.
GROWN_MS = 60_000


def place_order(page: Page, shop: Product, scenario: str, pattern: str = "choreography") -> None:
    """Pick what shall happen and place the order."""
    page.goto(f"{shop.url}/shop/")
    page.locator(f'input[name="pattern"][value="{pattern}"]').check()
    page.locator(f'input[name="scenario"][value="{scenario}"]').check()
    follow(page.get_by_role("button", name="Place the order"))
    page.wait_for_url(re.compile(r"/shop/\?.*flow="))
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


def test_an_orchestrated_order_goes_well(page: Page, shop: Product) -> None:
    place_order(page, shop, "fine", "orchestration")

    expect_grown(
        page,
        [
            "OrderSubmitted",
            "ReserveStock",
            "StockReserved",
            "ProcessPayment",
            "PaymentProcessed",
            "CreateShipment",
            "ShipmentCreated",
            "OrderCompleted",
        ],
        "completed",
    )


def test_an_orchestrated_order_without_a_carrier_is_undone_last_first(
    page: Page, shop: Product
) -> None:
    place_order(page, shop, "shipment-failed", "orchestration")

    expect_grown(
        page,
        ["ShipmentFailed", "RefundPayment", "ReleaseStock", "CancelOrder", "OrderCancelled"],
        "cancelled",
    )
    # The choice stays for the next order.
    expect(page.locator('input[value="orchestration"]')).to_be_checked()
    expect(page.locator('input[value="shipment-failed"]')).to_be_checked()


@pytest.mark.parametrize(
    ("scenario", "pattern", "says"),
    [
        ("fine", "choreography", "confirmed, all is set aside."),
        ("out-of-stock", "orchestration", "out of stock."),
        ("stock-hangs", "orchestration", "still pending."),
    ],
)
def test_the_form_answers_at_once_or_says_that_it_is_pending(
    page: Page, shop: Product, scenario: str, pattern: str, says: str
) -> None:
    place_order(page, shop, scenario, pattern)

    expect(page.locator(".shop-answer")).to_contain_text(says, timeout=GROWN_MS)


@pytest.mark.parametrize(("width", "order"), [(1440, ""), (1440, "?order=ORD-1&flow=f"), (390, "")])
def test_the_button_is_always_in_view_and_the_plot_of_the_choice_is_told(
    page: Page, shop: Product, width: int, order: str
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{shop.url}/shop/{order}")

    page.locator('input[value="gateway-down"]').check()

    expect(page.get_by_role("button", name="Place the order")).to_be_in_viewport(ratio=1)
    expect(page.locator(".play small:visible")).to_have_text(
        "The bank's gateway goes down until you switch it on again."
    )
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_version_that_nobody_registered_is_marked_on_its_event(page: Page, shop: Product) -> None:
    folder = Path(settings.BASE_DIR) / "tracing" / "demo" / "schemas"
    files = [str(file) for file in sorted(folder.glob("OrderPlaced.*"))]
    assert shop.manage("schema", "OrderPlaced", *files).wait() == 0

    place_order(page, shop, "unknown-version")
    page.get_by_role("link", name="Open the flow").click()
    page.locator("a.card").filter(has_text="OrderPlaced").click()

    inspector = page.locator(".inspected")
    expect(inspector.locator(".mark")).to_contain_text(["unknown schema version"])
    expect(inspector).to_contain_text("nobody registered version 3 of OrderPlaced")


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
