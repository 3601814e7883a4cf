"""Pages in a real browser; a page that complains fails its test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.servers.browser import chromium
from tests.servers.embedded import embedded_broker
from tests.servers.product import Product, running_product

# For what comes at once on a machine that has nothing else to do.
TIMEOUT_MS = 60_000
expect.set_options(timeout=TIMEOUT_MS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield Chromium; for a module only, as its event loop tolerates no other in the thread."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Yield a running product with the sample shop, where no order comes by itself."""
    folder = tmp_path_factory.mktemp("shop")
    env = {"DEMO_RATE": "0"}
    with (
        embedded_broker(folder) as address,
        running_product(folder, address, env=env, shop=True) as running,
    ):
        yield running


@pytest.fixture
def complaints() -> list[str]:
    """Return what the browser complained of: script errors, refused sources, dialogs."""
    return []


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Yield a visitor's fresh browser profile."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """Yield a tab; afterwards no script error, no policy violation and no dialog was seen."""
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))

    def note(line: ConsoleMessage) -> None:
        if line.type == "error":
            complaints.append(f"console: {line.text} {line.location['url']}")

    def refuse(dialog: object) -> None:
        complaints.append(f"dialog: {dialog}")
        dialog.dismiss()  # type: ignore[attr-defined]

    page.on("console", note)
    page.on("dialog", refuse)
    yield page
    assert complaints == []
