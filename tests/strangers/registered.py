"""Send an order with confluent-kafka's serializers, which know nothing of eventviz.

A process of its own, like any stranger:
`python -m tests.strangers.registered BROKER REGISTRY TOPIC avro|json|plain-avro`.
Prints the order's flow as JSON. The envelope itself is in the format, or only the payload
(`plain-avro`), with the identity in headers.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import uuid
from decimal import Decimal
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

PAYLOAD = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "orderId", "type": "string"},
        {
            "name": "amount",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        },
        {"name": "placedAt", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ],
}
ENVELOPE = {
    "type": "record",
    "name": "Envelope",
    "namespace": "shop",
    "fields": [
        {"name": "eventId", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "eventType", "type": "string"},
        {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "correlationId", "type": "string"},
        {"name": "causationId", "type": ["null", "string"], "default": None},
        {"name": "payload", "type": PAYLOAD},
    ],
}
JSON_ENVELOPE = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Envelope",
    "type": "object",
    "properties": {"eventId": {"type": "string"}, "eventType": {"type": "string"}},
    "required": ["eventId", "eventType"],
}


def main(broker: str, registry: str, topic: str, form: str) -> None:
    """Send OrderPlaced and PaymentProcessed, its effect."""
    client = SchemaRegistryClient({"url": registry})
    producer = Producer({"bootstrap.servers": broker})
    flow, placed, paid = (str(uuid.uuid4()) for _ in range(3))
    serialize = serializer(client, form)
    for event_id, name, cause in (
        (placed, "OrderPlaced", None),
        (paid, "PaymentProcessed", placed),
    ):
        body = envelope(event_id, name, flow, cause, form)
        headers: list[tuple[str, str | bytes | None]] = [("source", b"order-service")]
        if form == "plain-avro":
            said = {"event-id": event_id, "event-type": name, "correlation-id": flow}
            headers += [(key, value.encode()) for key, value in said.items()]
            headers += [("causation-id", cause.encode())] if cause else []
            body = body["payload"]
        value = serialize(body, SerializationContext(topic, MessageField.VALUE, headers))
        producer.produce(topic, key="ORD-77", value=value, headers=headers)
    if producer.flush(30):
        raise SystemExit("the broker did not take everything")
    sys.stdout.write(json.dumps({"flow": flow, "placed": placed, "paid": paid}) + "\n")


def serializer(client: SchemaRegistryClient, form: str) -> Any:
    """Return what makes a body into bytes; it registers its schema by itself."""
    if form == "json":
        return JSONSerializer(json.dumps(JSON_ENVELOPE), client)
    return AvroSerializer(client, json.dumps(PAYLOAD if form == "plain-avro" else ENVELOPE))


def envelope(event_id: str, name: str, flow: str, cause: str | None, form: str) -> dict[str, Any]:
    """Return an envelope as the format wants its values."""
    now = dt.datetime.now(dt.UTC)
    plain = form == "json"
    payload = {
        "orderId": "ORD-77",
        "amount": 59.9 if plain else Decimal("59.90"),
        "placedAt": now.isoformat() if plain else now,
    }
    body: dict[str, Any] = {"eventId": event_id, "eventType": name, "correlationId": flow}
    body["payload"] = payload
    body["timestamp"] = now.isoformat() if plain else now
    if not plain:
        body["eventId"] = uuid.UUID(event_id)
    if cause or not plain:
        body["causationId"] = cause
    return body


if __name__ == "__main__":
    main(*sys.argv[1:])
