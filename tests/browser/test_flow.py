"""A flow's page in a browser: it grows, is worked by keyboard and keeps what was chosen."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.browser.moves import follow
from tests.servers.product import Product
from tests.strangers.producing import Sent, create_topics, envelope, send

pytestmark = pytest.mark.slow

TYPES = ["OrderPlaced", "StockReserved", "PaymentFailed", "StockReleased", "OrderCancelled"]
TOPIC = "flow-page"
CHOSEN = "a.card[aria-current]"


@pytest.fixture(scope="module")
def topic(product: Product) -> str:
    """Return a topic that exists."""
    create_topics(product.broker, [TOPIC])
    return TOPIC


def type_at(place: int) -> str:
    """Return the type of a flow's event."""
    return TYPES[place] if place < len(TYPES) else f"Step{place}Taken"


def produce(product: Product, topic: str, flow: str, first: int, last: int) -> None:
    """Send the flow's events from one place to another, each caused by the one before."""
    send(
        product.broker,
        [
            Sent(
                topic,
                envelope(
                    type_at(place),
                    correlation_id=flow,
                    event_id=f"{flow}-{place}",
                    causation_id=f"{flow}-{place - 1}" if place else None,
                    payload={"orderId": "ORD-1", "place": place},
                ),
                b"ORD-1",
                (("source", type_at(place).encode()),),
            )
            for place in range(first, last)
        ],
    )


def open_flow(page: Page, product: Product, topic: str, events: int) -> str:
    """Make a flow of so many events and open its page; return its id."""
    flow = str(uuid.uuid4())
    produce(product, topic, flow, 0, events)
    product.wait_for_flow(flow, events=events)
    page.goto(f"{product.url}/flows/{flow}")
    expect(page.locator("a.card")).to_have_count(events)
    expect(page.locator("html")).to_have_attribute("data-connection", "open")
    return flow


def uncut(page: Page) -> list[str]:
    """Return the events whose cards are seen as a whole, once the canvas has come to rest."""
    page.locator("[data-stage]").evaluate(
        "stage => Promise.allSettled(stage.getAnimations().map(it => it.finished))"
    )
    found: list[str] = page.evaluate(
        """() => {
          const frame = document.querySelector("[data-canvas]").getBoundingClientRect();
          return [...document.querySelectorAll("a.card")].filter((card) => {
            const box = card.getBoundingClientRect();
            return box.left >= frame.left && box.right <= frame.right
              && box.top >= frame.top && box.bottom <= frame.bottom;
          }).map((card) => card.dataset.event);
        }"""
    )
    return found


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (1000, 720)])
def test_the_first_view_shows_the_whole_of_a_usual_flow(
    page: Page, product: Product, topic: str, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})

    open_flow(page, product, topic, events=len(TYPES))

    assert len(uncut(page)) == len(TYPES)
    page.locator("a.card").last.click()
    assert len(uncut(page)) == len(TYPES)


def test_a_long_flow_begins_with_the_chosen_event_and_fits_when_asked(
    page: Page, product: Product, topic: str
) -> None:
    flow = open_flow(page, product, topic, events=120)
    assert f"{flow}-2" in uncut(page)
    assert f"{flow}-0" in uncut(page)

    page.goto(f"{product.url}/flows/{flow}?event={flow}-119")
    expect(page.locator(CHOSEN)).to_have_attribute("data-event", f"{flow}-119")
    seen = uncut(page)
    assert f"{flow}-119" in seen
    assert len(seen) < 120

    page.get_by_role("button", name="Fit (0)").click()
    assert len(uncut(page)) == 120


def test_the_graph_grows_and_keeps_the_chosen_event(
    page: Page, product: Product, topic: str
) -> None:
    flow = open_flow(page, product, topic, events=2)
    page.evaluate("window.sameDocument = true")
    page.locator(f'a.card[data-event="{flow}-0"]').click()
    expect(page.locator(CHOSEN)).to_have_attribute("data-event", f"{flow}-0")

    produce(product, topic, flow, 2, len(TYPES))

    expect(page.locator("a.card")).to_have_count(len(TYPES))
    expect(page.locator(CHOSEN)).to_have_attribute("data-event", f"{flow}-0")
    assert page.evaluate("window.sameDocument") is True


def test_the_failed_event_is_chosen_at_first(page: Page, product: Product, topic: str) -> None:
    flow = open_flow(page, product, topic, events=len(TYPES))

    expect(page.locator(CHOSEN)).to_have_attribute("data-event", f"{flow}-2")
    expect(page.locator("#inspector")).to_contain_text("PaymentFailed")


def test_arrows_walk_between_events_and_enter_opens(
    page: Page, product: Product, topic: str
) -> None:
    flow = open_flow(page, product, topic, events=len(TYPES))
    chosen = page.locator(CHOSEN)
    chosen.focus()

    page.keyboard.press("ArrowLeft")
    expect(chosen).to_have_attribute("data-event", f"{flow}-1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(chosen).to_have_attribute("data-event", f"{flow}-3")
    page.keyboard.press("Enter")

    inspector = page.locator("#inspector")
    expect(inspector).to_contain_text("StockReleased")
    expect(inspector).to_contain_text(f"{topic}[")
    assert "event=" in page.url


def test_a_deep_link_opens_its_event(page: Page, product: Product, topic: str) -> None:
    flow = open_flow(page, product, topic, events=len(TYPES))

    page.goto(f"{product.url}/flows/{flow}?event={flow}-4")

    expect(page.locator(CHOSEN)).to_have_attribute("data-event", f"{flow}-4")
    expect(page.locator("#inspector")).to_contain_text("OrderCancelled")


def test_escape_closes_the_event_and_then_goes_back_to_the_flows(
    page: Page, product: Product, topic: str
) -> None:
    page.set_viewport_size({"width": 1000, "height": 720})
    flow = open_flow(page, product, topic, events=len(TYPES))
    page.goto(f"{product.url}/flows/?type=PaymentFailed")
    follow(page.locator(f'a[href="/flows/{flow}"]').first)
    page.locator(f'a.card[data-event="{flow}-1"]').click()
    inspector = page.locator("#inspector")
    expect(inspector).to_contain_text("StockReserved")
    assert "event=" in page.url

    page.keyboard.press("Escape")

    expect(inspector).not_to_be_visible()
    assert "event=" not in page.url
    expect(page.locator(CHOSEN)).to_have_attribute("data-event", f"{flow}-1")
    expect(page.locator(CHOSEN)).to_be_focused()
    page.keyboard.press("Escape")
    page.wait_for_url("**/flows/?type=PaymentFailed")


def test_escape_lets_the_chosen_event_go_beside_the_inspector(
    page: Page, product: Product, topic: str
) -> None:
    flow = open_flow(page, product, topic, events=len(TYPES))
    page.locator(f'a.card[data-event="{flow}-1"]').click()

    page.keyboard.press("Escape")

    expect(page.locator("#inspector")).to_contain_text("PaymentFailed")
    assert "event=" not in page.url
    page.keyboard.press("Escape")
    page.wait_for_url("**/flows/")


def test_the_list_has_no_tools_of_the_graph(page: Page, product: Product, topic: str) -> None:
    open_flow(page, product, topic, events=2)

    page.keyboard.press("l")

    expect(page.locator(".outline .row").first).to_be_visible()
    expect(page.get_by_role("button", name="Fit (0)")).not_to_be_visible()
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Fit (0)")).to_be_visible()


def test_the_key_names_the_page(page: Page, product: Product, topic: str) -> None:
    flow = open_flow(page, product, topic, events=1)
    named = "ORD-1 · OrderPlaced · eventviz"
    expect(page).to_have_title(named)
    expect(page.get_by_role("heading", level=1)).to_have_text("ORD-1")

    produce(product, topic, flow, 1, 2)

    expect(page.locator("a.card")).to_have_count(2)
    expect(page).to_have_title(named)


def test_a_narrow_window_shows_the_flow_as_a_list(page: Page, product: Product, topic: str) -> None:
    page.set_viewport_size({"width": 600, "height": 800})
    flow = str(uuid.uuid4())
    produce(product, topic, flow, 0, len(TYPES))
    product.wait_for_flow(flow, events=len(TYPES))

    page.goto(f"{product.url}/flows/{flow}")

    rows = page.locator(".outline .row")
    expect(rows).to_have_count(len(TYPES))
    expect(rows.first).to_be_visible()
    expect(page.locator("a.card").first).not_to_be_visible()


def test_a_flow_that_is_not_there_yet_appears_by_itself(
    page: Page, product: Product, topic: str, complaints: list[str]
) -> None:
    flow = str(uuid.uuid4())
    page.goto(f"{product.url}/flows/{flow}")
    # The answer is 404, which the browser reports.
    complaints.clear()

    produce(product, topic, flow, 0, 2)

    expect(page.locator("a.card")).to_have_count(2)
