"""Events at a rate, from a process of its own that has made them before.

What it then does is to hand whole requests to the broker: in life producers are other machines,
and one that made its events and batches meanwhile took more of a core than the web server.

python -m tests.benchmarks.paced BROKER TOPIC RATE SECONDS
"""

from __future__ import annotations

import itertools
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from kafka.protocol.producer import ProduceRequest, ProduceResponse
from kafka.record import MemoryRecordsBuilder

from tests.benchmarks.workload import PARTITIONS, Step, Workload, envelope

SEED = 99
EVERY_S = 0.02
PATIENCE_S = 120
# The oldest that Kafka 4 takes; its frames are plain (KIP-896).
VERSION = 3
_Topic = ProduceRequest.TopicProduceData
_Partition = _Topic.PartitionProduceData


class Request(NamedTuple):
    """A request as it goes to the broker, and how many events it has."""

    frame: bytes
    events: int


def requests(topic: str, *, rate: float, seconds: float) -> Iterator[Request]:
    """Make the events of each interval of `EVERY_S`, each order's in one partition."""
    steps = iter(Workload(SEED))
    made = 0
    for number in range(1, int(seconds / EVERY_S) + 1):
        due = int(number * EVERY_S * rate) - made
        yield Request(_frame(topic, itertools.islice(steps, due), number), due)
        made += due


def _frame(topic: str, steps: Iterable[Step], number: int) -> bytes:
    batches = [MemoryRecordsBuilder(2, 0, 1 << 30) for _ in range(PARTITIONS)]
    for step in steps:
        order = step.order.order_id
        batch = batches[int(order.rpartition("-")[2]) % PARTITIONS]
        batch.append(time.time_ns() // 1_000_000, order.encode(), envelope(step).encode())
    data = []
    for partition, batch in enumerate(batches):
        batch.close()
        data.append(_Partition(index=partition, records=bytes(batch.buffer())))
    request = ProduceRequest(
        transactional_id=None,
        acks=1,
        timeout_ms=PATIENCE_S * 1000,
        topic_data=[_Topic(name=topic, partition_data=data)],
        version=VERSION,
    )
    request.with_header(number, "paced")
    return bytes(request.encode(header=True, framed=True))


def send(broker: str, every: list[Request]) -> int:
    """Send a request each `EVERY_S`; return how many events went. Raises OSError when refused."""
    host, port = broker.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connection:
        answers = connection.makefile("rb")
        begun = time.monotonic()
        for number, request in enumerate(every):
            time.sleep(max(0.0, begun + number * EVERY_S - time.monotonic()))
            connection.sendall(request.frame)
            (size,) = struct.unpack(">i", answers.read(4))
            answer = ProduceResponse.decode(answers.read(size), version=VERSION, header=True)
            for topic in answer.responses:
                for partition in topic.partition_responses:
                    if partition.error_code:
                        raise OSError(f"the broker refused events: {partition.error_code}")
    return sum(request.events for request in every)


class Producer:
    """The process that has the events ready."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Wait until it has."""
        self._process = process
        self._said()

    def go(self) -> None:
        """Let it begin to send."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def sent(self) -> int:
        """Wait until it is through; return how many events it has sent."""
        return int(self._said())

    def _said(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


@contextmanager
def paced(broker: str, topic: str, *, rate: float, seconds: float) -> Iterator[Producer]:
    """Have a process that sends so many events a second when it is told to."""
    command = [sys.executable, "-m", "tests.benchmarks.paced", broker, topic]
    with subprocess.Popen(
        [*command, str(rate), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Producer(process)
        finally:
            process.kill()


def main(broker: str, topic: str, rate: str, seconds: str) -> None:
    """Make them, say so, wait for a line, send them."""
    every = list(requests(topic, rate=float(rate), seconds=float(seconds)))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(f"{send(broker, every)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
