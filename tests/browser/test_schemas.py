"""Schemas in the browser: registered, refused with the reason, compared."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from tests.browser.moves import follow
from tests.servers.product import Product
from tracing.kafka.producer import Producer, ensure_topics

FIRST = """\
version: 1
namespace: shop
type: record
name: Parcel
fields:
  - {name: parcelId, type: string}
"""
COMPATIBLE = FIRST + "  - {name: currency, type: string, default: USD}\n"
INCOMPATIBLE = COMPATIBLE + "  - {name: shippingAddress, type: string}\n"


def register(page: Page, text: str) -> None:
    """Write a text, wait for what is said of it, and register it."""
    page.locator("#text").fill(text)
    expect(page.locator("#verdict h2")).to_contain_text("✓")
    follow(page.get_by_role("button", name="Register"))


def test_versions_are_registered_refused_and_compared(product: Product, page: Page) -> None:
    page.goto(f"{product.url}/flows/")
    page.keyboard.press("g")
    with page.expect_navigation():
        page.keyboard.press("c")
    follow(page.get_by_role("link", name="Register the first schema"))
    page.locator("#subject").fill("parcels-value")
    register(page, FIRST)
    expect(page.locator("h1")).to_have_text("parcels-value")

    # A compatible one says before saving what it means for who reads and writes.
    follow(page.get_by_role("link", name="New version…"))
    page.locator("#text").fill(COMPATIBLE)
    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text("Compatible under BACKWARD")
    expect(verdict).to_contain_text("currency added, with default USD")
    follow(page.get_by_role("button", name="Register"))
    changes = page.get_by_role("region", name="Difference")
    expect(changes).to_contain_text("From v1 to v2")
    expect(changes).to_contain_text("old readers and writers are fine")
    expect(page.locator(".side .changed").first).to_be_visible()

    # An incompatible one is refused with the reason, and what was written stays.
    follow(page.get_by_role("link", name="New version…"))
    page.locator("#text").fill(INCOMPATIBLE)
    expect(verdict).to_contain_text("Incompatible under BACKWARD")
    expect(verdict).to_contain_text("shippingAddress is new and has no default")
    assert page.locator("#text").input_value() == INCOMPATIBLE

    # So is a text with an error, at its line.
    page.locator("#text").fill(INCOMPATIBLE.replace("fields:", "fields"))
    expect(verdict).to_contain_text("Line 6")

    page.goto(f"{product.url}/schemas/")
    page.get_by_label("Words of a subject's or a field's name").fill("curr")
    row = page.get_by_role("row", name="parcels-value")
    expect(row).to_contain_text("currency")
    row.click()
    expect(page.get_by_role("table", name="Versions")).to_contain_text("v2")


def test_who_would_break_is_read_before_registering(product: Product, page: Page) -> None:
    ensure_topics([product.broker], {"refunds": 1})
    producer = Producer([product.broker], client_id="test")
    for number in range(3):
        body = {
            "eventId": f"r-{number}",
            "eventType": "RefundAsked",
            "schemaVersion": 1,
            "correlationId": f"refund-{number}",
            "source": "desk" if number else "legacy-desk",
            "payload": {"refundId": f"R-{number}", **({"reason": "late"} if number else {})},
        }
        producer.send("refunds", None, json.dumps(body).encode()).coordinates()
    producer.close()

    def seen() -> bool:
        return [row["type"] for row in product.events()].count("RefundAsked") >= 3

    product.wait_for(seen, "three events")

    page.goto(f"{product.url}/schemas/register")
    page.locator("#subject").fill("RefundAsked")
    page.locator("#text").fill(
        "type: record\nname: RefundAsked\nfields:\n"
        "  - {name: refundId, type: string}\n  - {name: reason, type: string}\n"
    )
    page.get_by_role("button", name="Check, and who would break?").click()

    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text("1 of the last 3 stored payloads of RefundAsked")
    expect(verdict).to_contain_text("legacy-desk")
    verdict.get_by_role("link", name="an example").click()
    expect(page).to_have_url(f"{product.url}/flows/refund-0?event=r-0")
