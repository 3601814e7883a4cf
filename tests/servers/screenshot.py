"""Draw the README's picture: a declined order of the sample shop, from the real page."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize

from tests.servers.browser import chromium
from tests.servers.embedded import embedded_broker
from tests.servers.product import Product, running_product

SIZE: ViewportSize = {"width": 1600, "height": 760}
MAX_BYTES = 300_000


def draw(file: Path) -> None:
    """Run the product with the shop, wait for a compensated flow, and picture its page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {"DEMO_RATE": "3"}
        with (
            embedded_broker(folder) as broker,
            running_product(folder, broker, env=env, shop=True) as product,
            chromium() as browser,
        ):
            address = product.wait_for(lambda: _declined(product), "a declined order")
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            page.goto(f"{product.url}/flows/{address}")
            page.wait_for_selector("svg")
            page.screenshot(path=file)
    if file.stat().st_size > MAX_BYTES:
        raise ValueError(f"{file} has {file.stat().st_size:,} bytes, more than {MAX_BYTES:,}.")


def _declined(product: Product) -> str | None:
    flows = product.json("/api/flows?type=PaymentFailed&state=compensated")["flows"]
    return str(flows[0]["correlation_id"]) if flows else None
