"""The live tail in a browser: events as they come, pause and resume without loss."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.servers.product import Product
from tests.strangers.producing import Sent, create_topics, envelope, send

pytestmark = pytest.mark.slow

MAX_ROWS = 500


@pytest.fixture
def topic(product: Product) -> str:
    """Return a topic that the ingestor already follows."""
    name = f"tail-{uuid.uuid4().hex[:6]}"
    create_topics(product.broker, [name], partitions=1)
    produce(product, name, 1, "Warm")
    product.wait_for(lambda: product.json(f"/api/events?topic={name}")["events"], "the first event")
    return name


def produce(product: Product, topic: str, count: int, event_type: str) -> None:
    """Send so many events."""
    send(
        product.broker,
        [
            Sent(
                topic,
                envelope(
                    event_type,
                    correlation_id=f"{event_type}-{n}",
                    event_id=f"{topic}-{event_type}-{n}",
                ),
            )
            for n in range(count)
        ],
    )


def watch(page: Page, product: Product, topic: str) -> None:
    """Open the tail of the topic and wait until it is live."""
    page.goto(f"{product.url}/tail/?topic={topic}")
    expect(page.locator("html")).to_have_attribute("data-connection", "open")


def test_events_come_by_themselves_newest_first(page: Page, product: Product, topic: str) -> None:
    watch(page, product, topic)
    rows = page.locator("#tail-rows > .tail-row")
    expect(rows).to_have_count(1)

    produce(product, topic, 3, "Came")

    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("Came-2")
    expect(rows.last).to_contain_text("Warm")


def test_a_paused_tail_stands_still_and_resumes_without_loss(
    page: Page, product: Product, topic: str
) -> None:
    watch(page, product, topic)
    rows = page.locator("#tail-rows > .tail-row")
    pause = page.locator("[data-pause]")

    pause.click()
    produce(product, topic, 50, "Held")
    expect(page.locator("[data-new-count]")).to_have_text("50")
    expect(rows).to_have_count(1)
    pause.click()

    expect(rows).to_have_count(51)
    produce(product, topic, 1, "After")
    expect(rows.first).to_contain_text("After")
    expect(rows).to_have_count(52)


def test_the_rows_are_bounded(page: Page, product: Product, topic: str) -> None:
    watch(page, product, topic)

    produce(product, topic, MAX_ROWS + 200, "Many")

    expect(page.locator("#tail-rows > :first-child")).to_contain_text(f"Many-{MAX_ROWS + 199}")
    assert page.locator("#tail-rows > *").count() <= MAX_ROWS


def test_a_tail_that_lost_its_server_catches_up(
    page: Page, product: Product, topic: str, complaints: list[str]
) -> None:
    watch(page, product, topic)
    rows = page.locator("#tail-rows > .tail-row")

    product.stop_web()
    expect(page.locator("html")).to_have_attribute("data-connection", "lost")
    produce(product, topic, 20, "Missed")
    product.start_web()

    expect(page.locator("html")).to_have_attribute("data-connection", "open")
    expect(rows).to_have_count(21)
    # The browser reports each attempt that was refused: here that is no complaint.
    complaints.clear()
