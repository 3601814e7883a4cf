"""Many wait for events by `/api/wait`, measured on the whole product."""

from __future__ import annotations

import json
import sys

import pytest

from tests.benchmarks.waiting import AWAITED, RATE, SECONDS, measure, table
from tests.servers.processes import CACHE
from tests.servers.product import Product

# In milliseconds, on a machine of two cores that does nothing else.
P95 = 200


@pytest.mark.long
async def test_two_hundred_who_wait_are_answered_in_a_blink(product: Product) -> None:
    measured = await measure(product)
    CACHE.mkdir(exist_ok=True)
    (CACHE / "waiting.json").write_text(json.dumps(measured, indent=2))
    sys.stdout.write(f"\n{table(measured)}\nWritten to {CACHE.name}/waiting.json\n")

    assert measured["answers"] == RATE * SECONDS // AWAITED
    assert measured["latency_ms"]["p95"] < P95
