"""One record in a hundred is poison, on Apache Kafka: the good ones are stored, the bad ones told.

A broker refuses a damaged batch from its producers, so some damage is done where it happens in
life: on the broker's disk, while it is stopped.
"""

from __future__ import annotations

import functools
import re
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import zstandard
from kafka import KafkaProducer
from kafka.record.util import calc_crc32c

from tests.servers.apache import Apache, apache_node
from tests.servers.product import Product, running_product
from tests.servers.stored import stored_events
from tests.strangers.hostile import DEEP, NotText
from tests.strangers.producing import create_topics, envelope

pytestmark = [pytest.mark.slow, pytest.mark.apache]

TOPIC = "poison"
GOOD = 693
BOMB_BYTES = 500_000_000
HUGE_BYTES = 20_000_000
MAX_PEAK_MB = 400
# Where things lie in a batch: README of Kafka's message format 2.
CRC_AT, ATTRIBUTES_AT, RECORDS_AT = 17, 21, 61
# A record's number within its partition.
OFFSETS = (1 << 44) - 1
MORE = "message.max.bytes=30000000\nsocket.request.max.bytes=40000000"


def poison() -> dict[str, tuple[bytes, list[tuple[str, bytes]]]]:
    """Return by name the value and headers of each bad record as it is sent."""
    deep = b'{"eventId":"deep","eventType":"T","payload":' + b"[" * DEEP + b"]" * DEEP + b"}"
    return {
        "bad JSON": (b'{"eventId":"half","eventTy', []),
        "deep": (deep, []),
        "huge": (b"h" * HUGE_BYTES, []),
        "header": (b"{}", [(NotText("x"), b"1")]),
        # These are changed on the broker's disk.
        "checksum": (b"checksum" * 10, []),
        "codec": (b"codec" * 10, []),
        "bomb": (b"bomb" * 50_000, []),
    }


def sent(node: Apache) -> dict[str, int]:
    """Send the poison among good records; return the offset of each bad one."""
    producer = KafkaProducer(bootstrap_servers=node.address(), max_request_size=30_000_000)
    offsets = {}
    bad = poison()
    for turn, (name, (value, headers)) in enumerate(bad.items()):
        for number in range(turn * GOOD // len(bad), (turn + 1) * GOOD // len(bad)):
            producer.send(TOPIC, envelope("Good", correlation_id=f"good-{number}"))
        # A batch of its own.
        producer.flush()
        offsets[name] = producer.send(TOPIC, value, headers=headers).get(60).offset
    producer.close()
    return offsets


def damage(log: Path, offset: int, change: Callable[[bytearray], None]) -> None:
    """Change a batch of a segment in place."""
    data = bytearray(log.read_bytes())
    at = 0
    while struct.unpack_from(">q", data, at)[0] != offset:
        at += 12 + struct.unpack_from(">i", data, at + 8)[0]
    end = at + 12 + struct.unpack_from(">i", data, at + 8)[0]
    batch = data[at:end]
    change(batch)
    assert len(batch) == end - at
    data[at:end] = batch
    log.write_bytes(data)


def flip(batch: bytearray) -> None:
    """Let the batch's checksum be wrong."""
    batch[-10] ^= 0xFF


def rename_codec(batch: bytearray) -> None:
    """Let it be compressed with a codec that does not exist."""
    batch[ATTRIBUTES_AT + 1] |= 7
    seal(batch)


def explode(batch: bytearray) -> None:
    """Let a few bytes be half a gigabyte; a frame that is skipped fills up the room."""
    packer = zstandard.ZstdCompressor().compressobj()
    part = bytes(1_000_000)
    packed = b"".join(packer.compress(part) for _ in range(BOMB_BYTES // len(part)))
    packed += packer.flush()
    rest = len(batch) - RECORDS_AT - len(packed) - 8
    batch[RECORDS_AT:] = packed + struct.pack("<II", 0x184D2A50, rest) + bytes(rest)
    batch[ATTRIBUTES_AT + 1] |= 4
    seal(batch)


def seal(batch: bytearray) -> None:
    """Write the right checksum."""
    struct.pack_into(">I", batch, CRC_AT, calc_crc32c(bytes(batch[ATTRIBUTES_AT:])))


@pytest.fixture(scope="module")
def offsets_and_product(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[dict[str, int], Product]]:
    """Yield the bad records' offsets and a product that has read everything."""
    folder = tmp_path_factory.mktemp("poison")
    with apache_node(folder, more=MORE) as node:
        create_topics(node.address(), [TOPIC], partitions=1)
        offsets = sent(node)
        node.stop()
        log = folder / "logs" / f"{TOPIC}-0" / f"{0:020}.log"
        for name, change in (("checksum", flip), ("codec", rename_codec), ("bomb", explode)):
            damage(log, offsets[name], change)
        node.start()
        with running_product(folder, node.address()) as product:
            end = GOOD + len(offsets)
            product.wait_for(
                lambda: rows(product, "SELECT next_offset FROM tracing_partition") == [(end,)],
                "everything is read",
            )
            yield offsets, product


def rows(product: Product, question: str) -> list[tuple[Any, ...]]:
    """Return the answer to a query."""
    file = product.env["EVENTVIZ_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, timeout=30)) as opened:
        return opened.execute(question).fetchall()


def test_all_good_records_are_stored_and_every_bad_one_is_told(
    offsets_and_product: tuple[dict[str, int], Product],
) -> None:
    offsets, product = offsets_and_product

    good = rows(product, "SELECT count(*) FROM tracing_flow WHERE correlation_id LIKE 'good-%'")
    events = stored_events(functools.partial(rows, product))
    question = f"SELECT record & {OFFSETS}, error FROM tracing_event WHERE error IS NOT NULL"
    told = dict(rows(product, question))

    assert good == [(GOOD,)]
    assert {record & OFFSETS for _, record in events} == set(range(GOOD + len(offsets)))
    reasons = {name: told.get(offset) for name, offset in offsets.items()}
    assert set(told) == set(offsets.values()), reasons


def test_its_memory_stays_bounded(
    offsets_and_product: tuple[dict[str, int], Product],
    record_property: Callable[[str, object], None],
) -> None:
    _, product = offsets_and_product
    status = Path(f"/proc/{product.processes['ingest'].popen.pid}/status")
    if not status.exists():
        pytest.skip("only Linux tells a process's peak")

    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())

    assert found
    peak_mb = int(found[1]) // 1024
    record_property("measured", f"the ingestor's peak with a bomb of 500 MB: {peak_mb} MB")
    assert peak_mb < MAX_PEAK_MB
