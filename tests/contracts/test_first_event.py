"""The lines that an empty page shows work as they stand."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.servers.product import Product

pytestmark = pytest.mark.slow

TYPES = ["OrderPlaced", "StockReserved"]


@pytest.fixture(scope="module")
def lines(product: Product) -> dict[str, str]:
    """Return each client's lines, taken from the page while nothing is stored."""
    _, page = product.get("/flows/")
    found = re.findall(r'<pre id="first-(\w+)"[^>]*>(.*?)</pre>', page, re.DOTALL)
    return {client: html.unescape(text) for client, text in found}


def run(command: Sequence[str], folder: Path) -> None:
    """Run a stranger's program to its end."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def check_made(product: Product, count: int) -> None:
    """Wait until so many flows are stored whole; the newest is what the lines say."""

    def whole() -> dict[str, Any] | None:
        flows = product.json("/api/flows")["flows"]
        if [flow["event_count"] for flow in flows] != [len(TYPES)] * count:
            return None
        return product.flow(flows[0]["correlation_id"])

    flow = product.wait_for(whole, f"flow number {count}")
    assert [event["type"] for event in flow["events"]] == TYPES
    assert [event["source"] for event in flow["events"]] == ["order-service", "inventory-service"]
    assert len(flow["edges"]) == 1


def test_the_lines_of_each_client_make_a_flow(
    lines: dict[str, str], product: Product, kafkajs: Path, tmp_path: Path
) -> None:
    assert set(lines) == {"js", "py", "kcat"}
    (tmp_path / "first.py").write_text(lines["py"])
    # A file of its own: other tests run what else is in the folder.
    (kafkajs / "from_page.js").write_text(lines["js"])

    run([sys.executable, "first.py"], tmp_path)
    check_made(product, 1)
    run(["node", "from_page.js"], kafkajs)
    check_made(product, 2)


def test_the_lines_of_kcat_are_events(lines: dict[str, str]) -> None:
    events = [json.loads(line) for line in lines["kcat"].splitlines() if line.startswith("{")]

    assert [event["eventType"] for event in events] == TYPES
    assert events[1]["causationId"] == events[0]["eventId"]
    assert events[0]["correlationId"] == events[1]["correlationId"]
