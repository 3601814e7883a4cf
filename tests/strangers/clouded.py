"""Send CloudEvents with their own SDK: `python -m tests.strangers.clouded BROKER TOPIC FLOW`.

One in structured mode, then its effect in binary mode. Prints their ids as JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import uuid
from typing import Any

from cloudevents.core.bindings.kafka import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from kafka import KafkaProducer


def main(broker: str, topic: str, flow: str) -> None:
    """Send both and wait until the broker has them."""
    placed, paid = str(uuid.uuid4()), str(uuid.uuid4())
    producer = KafkaProducer(bootstrap_servers=broker)
    for message in (
        to_structured_event(event(placed, "OrderPlaced", flow)),
        to_binary_event(event(paid, "PaymentProcessed", flow, causationid=placed)),
    ):
        headers = [(name, raw) for name, raw in message.headers.items()]
        producer.send(topic, key=b"ORD-88", value=message.value, headers=headers).get(30)
    producer.close()
    sys.stdout.write(json.dumps([placed, paid]) + "\n")


def event(event_id: str, name: str, flow: str, **more: str) -> CloudEvent:
    """Return an event; correlation and cause are extensions."""
    attributes: dict[str, Any] = {
        "id": event_id,
        "type": name,
        "source": "/shop/orders",
        "specversion": "1.0",
        "time": dt.datetime.now(dt.UTC),
        "datacontenttype": "application/json",
        "correlationid": flow,
        **more,
    }
    return CloudEvent(attributes, {"orderId": "ORD-88"})


if __name__ == "__main__":
    main(*sys.argv[1:])
