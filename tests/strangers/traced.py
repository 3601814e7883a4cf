"""Send records that carry nothing but OpenTelemetry's own `traceparent`.

`python -m tests.strangers.traced BROKER TOPIC`: the instrumentation of kafka-python adds it.
Prints the trace's id.
"""

from __future__ import annotations

import json
import sys

from kafka import KafkaProducer
from opentelemetry.instrumentation.kafka import KafkaInstrumentor
from opentelemetry.sdk.trace import TracerProvider


def main(broker: str, topic: str) -> None:
    """Send two records within one span."""
    provider = TracerProvider()
    KafkaInstrumentor().instrument(tracer_provider=provider)
    producer = KafkaProducer(bootstrap_servers=broker)
    with provider.get_tracer("shop").start_as_current_span("checkout") as span:
        for name in ("OrderPlaced", "PaymentProcessed"):
            body = json.dumps({"type": name, "order": "ORD-99"}).encode()
            producer.send(topic, key=b"ORD-99", value=body).get(30)
    producer.close()
    sys.stdout.write(f"{span.get_span_context().trace_id:032x}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
