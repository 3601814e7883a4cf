"""From a producer to five open pages, measured on the whole product."""

from __future__ import annotations

import json
import sys

import pytest

from tests.benchmarks.latency import measure, table
from tests.servers.processes import CACHE
from tests.servers.product import Product

# In milliseconds, on a machine of two cores that does nothing else.
P50, P99 = 120, 250


@pytest.mark.long
async def test_an_event_is_on_every_open_page_in_a_blink(product: Product) -> None:
    measured = await measure(product)
    CACHE.mkdir(exist_ok=True)
    (CACHE / "latency.json").write_text(json.dumps(measured, indent=2))
    sys.stdout.write(f"\n{table(measured)}\nWritten to {CACHE.name}/latency.json\n")

    assert measured["latency_ms"]["all"]["missing"] == 0
    assert measured["latency_ms"]["all"]["p50"] < P50
    assert measured["latency_ms"]["all"]["p99"] < P99
