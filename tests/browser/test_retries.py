"""Dead letters in a browser: retried as a group, followed to the end; one edited and retried."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.moves import follow
from tests.servers.embedded import embedded_broker
from tests.servers.product import Product, running_product
from tracing.kafka.producer import Producer, ensure_topics

COUNT = 5


def event(event_id: str, flow: str, cause: str | None = None, total: str = "5") -> bytes:
    """Return an event as its producer writes it; its total may be no number at all."""
    body = {
        "eventId": event_id,
        "eventType": "OrderPlaced" if cause is None else "StockReserved",
        "correlationId": flow,
        "causationId": cause,
        "payload": {"total": "TOTAL"},
    }
    return json.dumps(body).replace('"TOTAL"', total).encode()


def failed(exception: str) -> list[tuple[str, bytes | None]]:
    return [
        ("kafka_dlt-original-topic", b"orders"),
        ("kafka_dlt-exception-fqcn", f"com.acme.{exception}".encode()),
        ("kafka_dlt-exception-message", b"the dependency is away"),
    ]


@pytest.fixture(scope="module")
def dead(product: Product) -> Product:
    """Return a product with a group of dead letters and one bad payload, and a worker."""
    ensure_topics([product.broker], {"orders": 1, "orders.dlq": 1})
    producer = Producer([product.broker], client_id="test")
    for number in range(COUNT):
        value = event(f"e-{number}", f"o-{number}")
        producer.deliver("orders.dlq", b"k", value, failed("Away"))
    bad = event("bad", "o-bad", total='"oops"')
    producer.deliver("orders.dlq", b"k", bad, failed("NoNumber"))
    producer.close()
    start_worker(product)
    product.wait_for(lambda: len(product.json("/api/dead-letters")["groups"]) == 2, "two groups")
    return product


def start_worker(product: Product) -> None:
    """Start one that waits for an effect for longer than any machine is busy."""
    product.env = {**product.env, "EVENTVIZ_RETRY_CONFIRM_S": "600"}
    product.manage("work")


def send(product: Product, *values: bytes) -> None:
    """Send what a consumer would, now that it works again."""
    producer = Producer([product.broker], client_id="test")
    for value in values:
        producer.deliver("orders", b"k", value)
    producer.close()


def test_a_group_is_retried_in_three_steps_and_recovers(dead: Product, page: Page) -> None:
    page.goto(f"{dead.url}/dead-letters/")
    page.get_by_role("link", name="Away").first.click()
    page.get_by_role("link", name="Retry the group").click()
    expect(page.locator(".plan-sentence")).to_contain_text(f"{COUNT} messages will be sent")
    page.get_by_label("Why").fill("the dependency is back")
    page.get_by_role("button", name=f"Retry {COUNT} messages").click()

    # Its progress is live here and in the navigation of every page.
    run = page.locator("#retry-run")
    expect(run).to_contain_text(f"{COUNT} sent")
    expect(run).to_contain_text("following")
    # Another test's run may stand beside it.
    mine = page.locator(f'#shell-retries a[href="{urlsplit(page.url).path}"]')
    expect(mine).to_contain_text("Retry followed")

    # The consumer works: effects arrive.
    send(dead, *(event(f"s-{n}", f"o-{n}", cause=f"e-{n}") for n in range(COUNT)))
    expect(run).to_contain_text(f"{COUNT} processed")
    expect(run).to_have_attribute("data-state", "done")
    expect(mine).to_have_count(0)

    page.goto(f"{dead.url}/dead-letters/?state=resolved")
    page.get_by_role("link", name="Away").first.click()
    expect(page.locator("#dead-letter-group")).to_contain_text(f"recovered {COUNT} of {COUNT}")
    page.goto(f"{dead.url}/audit/")
    expect(page.get_by_role("table", name="Audit")).to_contain_text("every message recovered")


def test_the_inboxs_buttons_are_whole_on_a_narrow_page(dead: Product, page: Page) -> None:
    page.set_viewport_size({"width": 900, "height": 900})
    page.goto(f"{dead.url}/dead-letters/")
    button = page.get_by_role("link", name="Retry NoNumber")

    # What an edge of the table cuts off is not in view.
    expect(button).to_be_in_viewport(ratio=1)


def test_a_bad_payload_is_edited_and_retried(
    dead: Product, page: Page, complaints: list[str]
) -> None:
    page.goto(f"{dead.url}/dead-letters/")
    page.get_by_role("link", name="NoNumber").first.click()
    page.locator("a.row-link").first.click()
    follow(page.get_by_role("link", name="Edit and retry"))
    editor = page.get_by_label("Value", exact=True)
    whole = editor.input_value()
    assert '"total": "oops"' in whole

    # Bad input is named at its line, while writing and when it is sent; nothing is lost.
    wrong = whole.replace('"oops"', "oops")
    editor.fill(wrong)
    line = wrong[: wrong.index("oops")].count("\n") + 1
    expect(page.locator("#text-said")).to_contain_text(f"line {line}:")
    page.get_by_label("Why").fill("the total is 7")
    follow(page.get_by_role("button", name="Send the edited message"))
    expect(page.locator("#text-said")).to_contain_text(f"line {line}, column")
    expect(editor).to_have_value(wrong)
    # The browser names the status of the refused form.
    assert all("422" in complaint for complaint in complaints)
    complaints.clear()

    editor.fill(whole.replace('"oops"', "7"))
    page.get_by_role("button", name="Send the edited message").click()
    expect(page.locator("#retry-run")).to_contain_text("1 sent")
    expect(page.locator("#retry-run pre")).to_contain_text('"total": 7')
    # The copy on the ordinary topic is the event now.
    dead.wait_for(
        lambda: dead.json("/api/events/bad")["payload"] == {"total": 7}, "the edited payload"
    )


def test_a_dead_letter_is_put_aside_and_restored(dead: Product, page: Page) -> None:
    page.goto(f"{dead.url}/dead-letters/")
    page.get_by_role("link", name="NoNumber").first.click()
    page.locator("a.row-link").first.click()
    page.get_by_text("Put aside…").click()
    page.get_by_label("Why").fill("a test order")
    page.get_by_role("button", name="Put aside").click()
    expect(page.locator("main")).to_contain_text("“a test order”")

    page.get_by_role("button", name="Restore").click()

    expect(page.locator("main")).not_to_contain_text("“a test order”")


# Who may only look


def test_a_viewer_sees_no_retry_and_a_forged_post_is_refused(tmp_path: Path, page: Page) -> None:
    with (
        embedded_broker(tmp_path) as broker,
        running_product(tmp_path, broker, env={"EVENTVIZ_DEMO": "0"}) as product,
    ):
        made = product.manage("user", "eve", "--role", "viewer")
        assert made.wait() == 0
        ensure_topics([broker], {"orders": 1, "orders.dlq": 1})
        producer = Producer([broker], client_id="test")
        producer.deliver("orders", b"k", event("fine", "o-fine"))
        producer.deliver("orders.dlq", b"k", event("e-1", "o-1"), failed("Away"))
        producer.close()

        page.goto(f"{product.url}/dead-letters/")
        page.get_by_label("Name").fill("eve")
        page.get_by_label("Password").fill(made.output.rpartition("only now: ")[2].strip())
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Away").first.click()
        expect(page.locator("#dead-letter-group")).to_contain_text("1 of 1")
        expect(page.get_by_role("link", name="Retry")).to_have_count(0)
        expect(page.get_by_role("button", name="Retry")).to_have_count(0)
        record = page.locator("a.row-link").first.get_attribute("href")
        number = str(record).rpartition("/")[2]

        page.goto(f"{product.url}/retries/new?record={number}")
        expect(page.locator("main")).to_contain_text("An operator can send this")
        token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
        form: dict[str, str | float | bool] = {
            "record": number,
            "reason": "mine",
            "rate": "1",
            "token": "t",
        }
        with_token = {**form, "csrfmiddlewaretoken": token}
        for forged in (form, with_token):
            for path in ("/retries/", "/retries/edit", "/retries/discard", "/retries/restore"):
                answer = page.request.post(product.url + path, form=forged)
                assert answer.status == 403, (path, answer.status)
        body = {"records": [int(number)], "reason": "mine"}
        answer = page.request.post(f"{product.url}/api/retries", data=body)
        assert answer.status == 403
        page.goto(f"{product.url}/retries/")
        expect(page.locator("main")).to_contain_text("Nothing was sent again yet")


# The shop


def test_an_order_that_died_goes_on_to_its_end(shop: Product, page: Page) -> None:
    start_worker(shop)
    page.goto(f"{shop.url}/shop/")
    page.get_by_text("Gateway down").click()
    page.get_by_role("button", name="Place the order").click()
    expect(page.locator(".shop-gateway")).to_contain_text("down")

    # Its retries are used up: the group appears by itself.
    page.goto(f"{shop.url}/dead-letters/")
    group = page.locator("a.row-link").first
    expect(group).to_be_visible()
    (dead,) = shop.json("/api/dead-letters")["groups"]
    (letter,) = shop.json(f"/api/dead-letters/{dead['id']}")["messages"]
    flow = shop.json(f"/api/events/{letter['event_id']}")["correlation_id"]

    page.goto(f"{shop.url}/shop/")
    page.get_by_role("button", name="Switch it on").click()
    expect(page.locator(".shop-gateway")).to_contain_text("up")

    page.goto(f"{shop.url}/dead-letters/")
    page.locator("a.row-link").first.click()
    page.get_by_role("link", name="Retry the group").click()
    page.get_by_label("Why").fill("the gateway is back")
    page.get_by_role("button", name="Retry 1 message").click()
    run = page.locator("#retry-run")
    expect(run).to_contain_text("1 processed")
    expect(run).to_have_attribute("data-state", "done")

    page.goto(f"{shop.url}/flows/{flow}")
    expect(page.locator("#flow-head")).to_contain_text("done")
    page.goto(f"{shop.url}/dead-letters/{dead['id']}")
    expect(page.locator("#dead-letter-group")).to_contain_text("recovered 1 of 1")
