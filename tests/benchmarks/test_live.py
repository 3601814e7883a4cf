"""From a producer to twenty scripts and eighty open pages, at 5,000 events a second."""

from __future__ import annotations

import json
import sys

import pytest

from tests.benchmarks.live import measure, table
from tests.servers.processes import CACHE
from tests.servers.product import Product

# In milliseconds, on a machine of two cores that does nothing else.
P99 = 400


@pytest.mark.long
def test_a_hundred_sockets_follow_five_thousand_events_a_second(product: Product) -> None:
    measured = measure(product)
    CACHE.mkdir(exist_ok=True)
    (CACHE / "live.json").write_text(json.dumps(measured, indent=2))
    sys.stdout.write(f"\n{table(measured)}\nWritten to {CACHE.name}/live.json\n")

    assert (measured["missing"], measured["unlike"]) == (0, 0)
    for kind in measured["kinds"].values():
        assert kind["p99"] < P99
