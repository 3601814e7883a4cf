"""Record what real frameworks write when a record fails: `python -m tests.strangers.failed`.

Runs Apache Kafka, the Spring service, Kafka Connect and Kafka Streams, gives each records that
fail in known ways and keeps, byte for byte, what arrives on dead letter and retry topics in
`dead_letters/*.json`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from tests.servers.apache import apache_kafka
from tests.servers.connect import DEAD_LETTERS, kafka_connect
from tests.servers.processes import wait_for
from tests.servers.spring import TOPICS, spring_service
from tests.servers.streams import TOPICS as STOCK
from tests.servers.streams import kafka_streams
from tests.strangers.producing import Sent, create_topics, envelope, send
from tracing.domain.record import Record

FOLDER = Path(__file__).resolve().parent / "dead_letters"
SHIPMENTS = ("shipments-retry-0", "shipments-retry-1", "shipments-dlt")
NOT_UTF8 = b'{"eventId":"\xff\xfe"}'
# What a failure must leave alone: two headers of one name, bytes that are no text, an empty one.
HEADERS = (
    ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("tenant", b"eu"),
    ("tenant", b"\x00\xff\x80"),
    ("note", b""),
)


def failing(topic: str) -> list[Sent]:
    """Return records that the Spring service fails on: see Work.java."""
    records = [order(topic, number, how) for how, number in (("nested", 1), ("ids", 2))]
    return [
        *records,
        # A value, then a key, that its deserializer refuses.
        Sent(topic, NOT_UTF8, b"ORD-3", HEADERS, partition=0),
        Sent(topic, order(topic, 4, "").value, b"\xff\xfe", HEADERS, partition=0),
    ]


def order(topic: str, number: int, how: str) -> Sent:
    """Return an order that fails in one way."""
    name = f"{topic}-{how or 'fine'}-{number}"
    value = envelope(
        "OrderPlaced",
        correlation_id=f"flow-{name}",
        event_id=f"event-{name}",
        payload={"orderId": f"ORD-{number}", "fail": how, "total": 59.9},
    )
    return Sent(topic, value, f"ORD-{number}".encode(), HEADERS, partition=0)


def unreadable(topic: str) -> list[Sent]:
    """Return records that a sink with a JSON converter and a cast to a number refuses."""
    headers = (*HEADERS[:1], *HEADERS[3:])
    total = b'{"eventId":"event-total","eventType":"OrderPlaced","total":"a lot"}'
    return [
        Sent(topic, b'{"eventId":"event-half","eventTy', b"ORD-5", headers, partition=0),
        Sent(topic, b"\x00\xff not JSON", None, (), partition=0),
        Sent(topic, total, b"ORD-6", headers, partition=0),
    ]


def no_stock() -> list[Sent]:
    """Return a value that is no number of four bytes, and a number that is a bug."""
    below = (-7).to_bytes(4, "big", signed=True)
    return [Sent("stock", raw, b"ORD-8", HEADERS, partition=0) for raw in (b"three", below)]


def dead_letters_of_spring(folder: Path, broker: str) -> dict[str, list[Record]]:
    """Return what the Spring service writes by DeadLetterPublishingRecoverer and retry topics."""
    create_topics(broker, (*TOPICS, "invoices-dlt", *SHIPMENTS), partitions=1)
    with spring_service(folder, broker):
        send(broker, [record for topic in TOPICS for record in failing(topic)])
        # The first two are tried thrice, the others go to the dead letters at once.
        shipments = read(broker, SHIPMENTS, 2 + 2 + 4)
        first = read(broker, ["invoices-dlt"], 4)
        # A copy that somebody sent back with everything on it fails with all headers twice.
        send(broker, [again(first[0], "invoices")])
        invoices = read(broker, ["invoices-dlt"], 5)
    return {"spring-recoverer": invoices, "spring-retry-topics": shipments}


def dead_letters_of_connect(folder: Path, broker: str) -> dict[str, list[Record]]:
    """Return what Kafka Connect reports, with headers and without."""
    create_topics(broker, (*DEAD_LETTERS, *DEAD_LETTERS.values()), partitions=1)
    send(broker, [record for topic in DEAD_LETTERS for record in unreadable(topic)])
    with kafka_connect(folder, broker):
        found = {topic: read(broker, [name], 3) for topic, name in DEAD_LETTERS.items()}
    return {"connect": found["ledger"], "connect-without-headers": found["archive"]}


def dead_letters_of_streams(folder: Path, broker: str) -> dict[str, list[Record]]:
    """Return what Kafka Streams writes for what it cannot read and what its code fails on."""
    create_topics(broker, STOCK, partitions=1)
    send(broker, no_stock())
    with kafka_streams(folder, broker):
        return {"streams": read(broker, ["stock-dlq"], 2)}


def again(record: Record, topic: str) -> Sent:
    """Return a dead letter as it goes back to a topic when nobody strips anything."""
    headers = tuple((name, value or b"") for name, value in record.headers)
    return Sent(topic, record.value, record.key, headers, partition=0)


def read(broker: str, topics: Iterable[str], wanted: int) -> list[Record]:
    """Return what stands on the first partitions, in order, once there are so many records."""
    consumer = KafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False)
    found: list[Record] = []
    try:
        parts = [TopicPartition(topic, 0) for topic in topics]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)

        def enough() -> bool:
            for batch in consumer.poll(timeout_ms=200).values():
                found.extend(record_of(message) for message in batch)
            return len(found) >= wanted

        wait_for(enough, f"{wanted} records on {', '.join(topics)}", within_s=120)
    finally:
        consumer.close()
    return sorted(found, key=lambda record: (record.topic, record.offset))


def record_of(message: Any) -> Record:
    """Return a record as the client read it."""
    return Record(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=message.timestamp,
        key=message.key,
        value=message.value,
        headers=tuple((name, value) for name, value in message.headers),
        value_length=len(message.value or b""),
    )


def recorded(name: str) -> list[Record]:
    """Return the records of one file, as they were read."""
    rows = json.loads((FOLDER / f"{name}.json").read_text())
    return [
        Record(
            topic=row["topic"],
            partition=row["partition"],
            offset=row["offset"],
            timestamp_ms=row["timestamp_ms"],
            key=to_bytes(row["key"]),
            value=to_bytes(row["value"]),
            headers=tuple((header, to_bytes(value)) for header, value in row["headers"]),
            value_length=len(row["value"] or ""),
        )
        for row in rows
    ]


def to_json(record: Record) -> dict[str, Any]:
    """Return a record as its file keeps it: one character a byte (Latin-1), so most is readable."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "key": to_text(record.key),
        "value": to_text(record.value),
        "headers": [[name, to_text(value)] for name, value in record.headers],
    }


def to_text(raw: bytes | None) -> str | None:
    """Return bytes as text of as many characters; None is a null of Kafka's."""
    return None if raw is None else raw.decode("latin-1")


def to_bytes(text: str | None) -> bytes | None:
    """Return the bytes again."""
    return None if text is None else text.encode("latin-1")


def main() -> None:
    """Write the files anew."""
    FOLDER.mkdir(exist_ok=True)
    writers = (dead_letters_of_spring, dead_letters_of_connect, dead_letters_of_streams)
    with tempfile.TemporaryDirectory() as name, apache_kafka(Path(name)) as broker:
        for record_them in writers:
            for file, records in record_them(Path(name), broker).items():
                rows = json.dumps([to_json(record) for record in records], indent=1)
                (FOLDER / f"{file}.json").write_text(rows + "\n")


if __name__ == "__main__":
    main()
