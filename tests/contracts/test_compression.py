"""The tutorials' first producer, with every codec that a producer may choose."""

from __future__ import annotations

import json
import subprocess
import uuid
from pathlib import Path

import pytest

from tests.servers.product import Product
from tests.strangers.producing import create_topics

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_an_event_without_version_and_correlation_is_a_flow_of_its_own(
    kafkajs: Path, product: Product, codec: str
) -> None:
    topic, order = f"first-{codec}", f"ORD-{uuid.uuid4().hex[:6]}"
    create_topics(product.broker, [topic], partitions=1)
    done = subprocess.run(
        ["node", "first.js", product.broker, topic, order, codec],
        cwd=kafkajs,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    event_id = json.loads(done.stdout)["eventId"]

    flow = product.wait_for_flow(event_id, events=1)

    event = product.json(f"/api/events/{event_id}")
    assert [one["event_id"] for one in flow["events"]] == [event_id]
    assert (event["type"], event["key"], event["topic"]) == ("OrderPlaced", order, topic)
    assert (event["payload"]["orderId"], event["schema_version"]) == (order, None)
    # Found by its key, and by what its payload holds.
    assert event_id in product.get(f"/search/?q={order}")[1]
