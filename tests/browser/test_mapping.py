"""A newcomer's envelope that nobody knows: seen, tried, applied, and the flows are there."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.moves import follow
from tests.servers.product import Product
from tracing.kafka.producer import Producer, ensure_topics

TOPIC = "homemade"


@pytest.fixture(scope="module")
def homemade(product: Product) -> Product:
    """Return a product with records of three flows that it cannot see yet, and a worker."""
    ensure_topics([product.broker], {TOPIC: 1})
    producer = Producer([product.broker], client_id="test")
    for number in range(9):
        first = number - number % 3
        meta = {
            "id": f"m-{number:03}",
            "order": f"A-{first}",
            "parent": None if number == first else f"m-{number - 1:03}",
            "kind": ["placed", "taken", "paid"][number % 3],
        }
        body = {"meta": meta, "data": {"total": number}}
        producer.send(TOPIC, None, json.dumps(body).encode()).coordinates()
    producer.close()
    product.manage("work")
    product.wait_for(lambda: len(product.events()) >= 9, "nine events")
    return product


def test_a_newcomer_tries_and_applies_a_mapping(homemade: Product, page: Page) -> None:
    page.goto(f"{homemade.url}/mapping/")
    row = page.get_by_role("row", name=TOPIC)
    expect(row.get_by_text("0 of 9")).to_have_count(4)
    follow(row)

    # What probably carries the fields is filled in already, and shown.
    expect(page.locator("#map-event_id")).to_have_value("$.meta.id")
    expect(page.locator("#preview")).to_contain_text("m-008")

    # Writing shows the difference by itself and says which field is wrong.
    page.locator("#map-correlation_id").fill("meta.order")
    expect(page.locator("#preview")).to_contain_text("Correlation id: write a path such as")
    expect(page.get_by_text("Apply…")).to_have_count(0)
    page.locator("#map-correlation_id").fill("$.meta.nothing")
    expect(page.locator(".shares-line").nth(1)).to_contain_text("0 of 9")

    # A candidate is a click.
    page.get_by_role("button", name="$.meta.order").click()
    expect(page.locator("#map-correlation_id")).to_have_value("$.meta.order")
    expect(page.locator(".shares-line").nth(1)).not_to_contain_text("0 of 9")

    page.get_by_text("Apply…").click()
    page.get_by_role("button", name="Apply the mapping").click()
    expect(page.locator("#rebuild")).to_contain_text("Rebuilt from")

    page.goto(f"{homemade.url}/flows/A-3")
    expect(page.locator("main")).to_contain_text("paid")


def test_topics_and_groups_come_by_themselves(homemade: Product, page: Page) -> None:
    # The rate is that of the last minute: something has to come in it.
    ensure_topics([homemade.broker], {"trickle": 1})
    producer = Producer([homemade.broker], client_id="test")
    producer.deliver("trickle", None, b"{}")
    producer.close()
    page.goto(f"{homemade.url}/topics/")

    row = page.locator("a.topic-row", has_text="trickle")
    # The rate, in whatever figure: the fewer seconds the ingestor has run, the higher.
    expect(row).to_contain_text(re.compile(r"\d\.\d"))
    expect(page.locator("html")).to_have_attribute("data-connection", "open")

    follow(row)
    expect(page.get_by_role("table", name="Partitions")).to_contain_text("1")
