"""Sagas watched in a browser: both patterns, a way back drawn live, the clock, what is held."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.moves import follow
from tests.browser.test_shop import GROWN_MS, place_order
from tests.servers.answering import Webhook, serving
from tests.servers.embedded import embedded_broker
from tests.servers.processes import ROOT
from tests.servers.product import Product, running_product
from tests.strangers.producing import Sent, create_topics, send

pytestmark = pytest.mark.slow
QUICK = """saga: Quick order
starts: QuickOrderPlaced
key: $.orderId
steps:
  - name: Reserve stock
    success: QuickStockReserved
    timeout: 1h
    compensation: {name: Release stock, success: QuickStockReleased, timeout: 1h}
  - name: Process payment
    success: QuickPaymentProcessed
    failure: QuickPaymentFailed
    timeout: 5s
ends: {completed: QuickOrderCompleted, cancelled: QuickOrderCancelled}
"""


@dataclass
class Town:
    """A product with the shop, a worker, and a webhook that keeps what it was told."""

    product: Product
    told: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.product.url

    def say(self, order: str, *types: str) -> None:
        """Send events of an order as a stranger's services would."""
        send(self.product.broker, [self._event(order, event_type) for event_type in types])

    def _event(self, order: str, event_type: str) -> Sent:
        body = {
            "eventId": uuid.uuid4().hex,
            "eventType": event_type,
            "correlationId": f"flow-{order}",
            "timestamp": time.time_ns() // 1_000_000,
            "payload": {"orderId": order, "reason": "card_declined"},
        }
        return Sent("quick", json.dumps(body).encode(), key=order.encode())

    def page_of(self, order: str) -> str:
        """Return the address of an order's saga once it is there."""

        def look() -> str | None:
            found = self.product.json(f"/api/sagas?key={order}")["sagas"]
            return str(found[0]["id"]) if found else None

        return f"{self.url}/sagas/{self.product.wait_for(look, f'the saga of {order}')}"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Yield a running town; both shops' sagas and a quick one are declared."""
    folder = tmp_path_factory.mktemp("town")
    with (
        serving(Webhook()) as webhook,
        embedded_broker(folder) as address,
        running_product(
            folder,
            address,
            env={
                "DEMO_RATE": "0",
                "EVENTVIZ_ALERT_URLS": f"json://127.0.0.1:{webhook.server_port}/",
                "EVENTVIZ_SAGA_STUCK_S": "1",
            },
            shop=True,
        ) as product,
    ):
        quick = folder / "quick.yaml"
        quick.write_text(QUICK)
        _declare(product, quick)
        create_topics(address, ["quick"], partitions=1)
        product.manage("work")
        yield Town(product, webhook.told)


def _declare(product: Product, *files: Path) -> None:
    files = (*sorted((ROOT / "tracing" / "demo" / "sagas").glob("*.yaml")), *files)
    declared = product.manage("saga", *map(str, files), "--valid-from", "1970-01-01")
    assert declared.wait() == 0, declared.output


def look(page: Page, card: str, slug: str) -> None:
    """Wait until a card looks like that."""
    expect(page.locator(f"#saga-track #{card}.look-{slug}")).to_be_visible(timeout=GROWN_MS)


@pytest.mark.parametrize("pattern", ["choreography", "orchestration"])
def test_an_order_that_goes_well(page: Page, town: Town, pattern: str) -> None:
    place_order(page, town.product, "fine", pattern)
    page.get_by_role("link", name="Open the flow").click()
    page.locator(".to-saga").first.click()

    for card in ("start", "step-0", "step-1", "step-2", "completed"):
        look(page, card, "done")
    expect(page.locator("#saga-head")).to_contain_text("Completed in")
    words = "orchestrated" if pattern == "orchestration" else "by choreography"
    expect(page.locator("#saga-head")).to_contain_text(words)
    expect(page.locator("#saga-track .way.back")).to_have_count(0)
    expect(page.locator("#saga-flags li")).to_have_count(0)


def test_a_payment_fails_and_the_mirror_is_drawn_live(page: Page, town: Town) -> None:
    order = f"Q-{uuid.uuid4().hex[:6]}"
    town.say(order, "QuickOrderPlaced", "QuickStockReserved")
    page.goto(town.page_of(order))
    page.evaluate("window.sameDocument = true")
    look(page, "undo-0", "not_needed")
    page.locator("#saga-track #step-0").focus()

    town.say(order, "QuickPaymentFailed")
    look(page, "step-1", "failed")
    look(page, "undo-0", "compensating")
    expect(page.locator("#saga-track .way.back")).to_have_count(2)
    expect(page.locator("#saga-head")).to_contain_text("Process payment failed, card declined.")
    expect(page.locator("#saga-head")).to_contain_text("Going back: Release stock, CANCELLED.")
    town.say(order, "QuickStockReleased", "QuickOrderCancelled")
    look(page, "undo-0", "compensated")
    look(page, "cancelled", "compensated")
    expect(page.locator("#saga-head .mark")).to_have_text("CANCELLED")
    assert page.evaluate("window.sameDocument") is True
    # The keyboard stays where it was, and walks between a step and what undoes it.
    expect(page.locator("#step-0")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#undo-0")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#cancelled")).to_be_focused()


@pytest.mark.parametrize("pattern", ["choreography", "orchestration"])
def test_the_shops_declined_payment_is_watched_to_its_end(
    page: Page, town: Town, pattern: str
) -> None:
    # The services come back when somebody watches: nothing can have happened before.
    town.product.processes["shop"].end()
    place_order(page, town.product, "payment-declined", pattern)
    page.get_by_role("link", name="Open the flow").click()
    page.locator(".to-saga").first.click()
    expect(page.locator("#saga-head .mark")).to_have_text("PENDING")
    look(page, "step-1", "waiting")
    look(page, "undo-0", "not_needed")
    expect(page.locator("#saga-track .way.back")).to_have_count(0)
    page.evaluate("window.sameDocument = true")

    town.product.manage("shop")

    look(page, "step-0", "done")
    look(page, "step-1", "failed")
    look(page, "step-2", "not_reached")
    look(page, "undo-0", "compensated")
    look(page, "cancelled", "compensated")
    expect(page.locator("#saga-head .mark")).to_have_text("CANCELLED")
    # From the payment to the stock's release, from there to the end.
    expect(page.locator("#saga-track .way.back")).to_have_count(2)
    expect(page.locator("#saga-head")).to_contain_text("Undone: Release stock.")
    told = page.locator("#saga-history .row code").all_inner_texts()
    assert told == ["CANCELLED", "COMPENSATING", "STOCK_RESERVED", "PENDING"]
    assert page.evaluate("window.sameDocument") is True
    assert page.locator("#saga-flags li").count() == 0


def test_a_hanging_step_turns_overdue_by_itself_and_alerts(page: Page, town: Town) -> None:
    order = f"Q-{uuid.uuid4().hex[:6]}"
    town.say(order, "QuickOrderPlaced")
    page.goto(town.page_of(order))
    page.evaluate("window.sameDocument = true")
    look(page, "step-0", "running")
    expect(page.locator("#step-0 .from")).to_contain_text("timeout in ")
    look(page, "step-1", "waiting")

    # From here on only time passes.
    town.say(order, "QuickStockReserved")
    look(page, "step-1", "overdue")
    assert page.evaluate("window.sameDocument") is True
    flag = page.locator('#saga-flags [data-code="overdue"]')
    expect(flag).to_contain_text(f"{order} waits for “Process payment”")
    expect(flag).to_contain_text("over its timeout of 5 s.")
    expect(page.locator('#saga-head [data-stand="stuck"]')).to_be_visible(timeout=GROWN_MS)
    titles = [f"Quick order {order} is stuck at Process payment"]

    def alerted() -> bool:
        return [one["title"] for one in town.told if order in one["title"]] == titles

    assert town.product.wait_for(alerted, "the alert")
    page.goto(f"{town.url}/sagas/?stuck=1")
    expect(page.locator(".saga-row.row").filter(has_text=order)).to_be_visible()


def test_a_failed_compensation_is_named(page: Page, town: Town) -> None:
    place_order(page, town.product, "nothing-undone")
    page.get_by_role("link", name="Open the flow").click()
    page.locator(".to-saga").first.click()

    look(page, "undo-0", "failed")
    flag = page.locator('#saga-flags [data-code="failed_compensation"]')
    expect(flag).to_contain_text("still holds its stock: “Release stock” failed")
    page.set_viewport_size({"width": 480, "height": 800})
    expect(page.locator("#saga-steps li li")).to_contain_text("Release stock")
    expect(page.locator("#saga-track")).to_be_hidden()


def test_a_failed_compensation_is_mended_from_its_page(page: Page, town: Town) -> None:
    place_order(page, town.product, "refund-fails", "orchestration")
    page.get_by_role("link", name="Open the flow").click()
    page.locator(".to-saga").first.click()
    look(page, "undo-1", "failed")
    told = "Refund payment failed: account closed. Release stock was not asked for yet."
    expect(page.locator(".saga-story")).to_contain_text(told)
    saga = page.url

    page.get_by_role("link", name="Edit and send it").click()
    value = page.get_by_label("Value")
    value.fill(value.input_value().replace('"refund-fails"', '"fine"'))
    page.get_by_label("Why").fill("The account is open again")
    page.get_by_role("button", name="Send the edited message").click()
    expect(page.get_by_role("heading", name="Replay of 1 record")).to_be_visible()
    page.goto(saga)

    look(page, "undo-0", "compensated")
    look(page, "cancelled", "compensated")
    expect(page.locator("#saga-flags li")).to_have_count(0)


def test_a_definition_is_written_tried_and_saved_on_a_page(
    page: Page, town: Town, complaints: list[str]
) -> None:
    order = f"W-{uuid.uuid4().hex[:6]}"
    town.say(order, "WrittenBegun")
    town.product.wait_for_flow(f"flow-{order}", events=1)
    text = "saga: Written\nstarts: WrittenBegun\nkey: $.orderId\nsteps:\n"
    text += "  - {name: Do it, sucess: WrittenDone}\n"
    page.goto(f"{town.url}/sagas/")
    page.get_by_role("link", name="Definitions").click()
    follow(page.get_by_role("link", name="Write a definition"))
    editor = page.get_by_label("Definition, as YAML or JSON")
    editor.fill(text)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#text-said")).to_contain_text("Line 5: `sucess` is not known")
    expect(page.locator(".line-numbers li.bad")).to_have_count(1)
    assert editor.input_value() == text
    # The browser says that the bad one was refused.
    assert [line for line in complaints if "422" not in line] == []
    complaints.clear()
    editor.fill(text.replace("sucess", "success"))
    page.get_by_label("everything that is stored").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".would-row").filter(has_text=order)).to_be_visible()

    page.get_by_role("button", name="Save as a new version").click()

    expect(page.locator(".version-row").filter(has_text="Written")).to_be_visible()
    expect(page.locator("#rebuild")).to_contain_text("Rebuilt from")
    page.goto(town.page_of(order))
    look(page, "step-0", "running")
