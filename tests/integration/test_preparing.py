"""An ingestor that is behind prepares in a second process; without that one it goes on alone."""

from __future__ import annotations

import os
import signal
import uuid
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.log import stored
from tests.integration.test_ingest import environment, wait_until
from tests.servers.processes import MANAGE, Process
from tests.strangers import hostile
from tests.strangers.failed import recorded
from tests.strangers.producing import Sent, create_topics, envelope, send
from tracing.domain.record import Record
from tracing.ingest.preparing import LARGE, answerer, handed_over, taken_back
from tracing.projections.catalogue import Catalogue
from tracing.projections.events import behind
from tracing.projections.store import Slice, ready_of

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.usefixtures("live_log")]

LINE = "Another process prepares large batches"


def test_the_helper_prepares_what_this_process_would() -> None:
    catalogue = Catalogue()
    failed = [record for name in ("spring-recoverer", "connect") for record in recorded(name)]
    lost = Record(topic="t", partition=0, offset=1, timestamp_ms=0, error="The batch is damaged.")
    slices = [
        Slice(
            partition_id=catalogue.partition(topic="strange", topic_uuid="", number=number).id,
            start=0,
            end=len(records),
            records=records,
        )
        for number, records in enumerate([hostile.records(), failed, [lost]])
    ]

    found = taken_back(answerer()(handed_over(slices)))

    assert found == ready_of(slices, catalogue)


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, the helper among them."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def helper_of(pid: int) -> int:
    """Return the process that prepares."""
    (found,) = [
        child
        for child in children(pid)
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_helper_that_dies_costs_nothing(broker: str, tmp_path: Path) -> None:
    topic = f"much-{uuid.uuid4().hex[:8]}"
    create_topics(broker, [topic], partitions=2)
    sent = 0

    def send_many() -> None:
        nonlocal sent
        ids = range(sent, sent + 4 * LARGE)
        flows = [f"flow-{number // 5}" for number in ids]
        send(
            broker,
            [
                Sent(topic, envelope("Made", correlation_id=flow, event_id=str(number)))
                for number, flow in zip(ids, flows, strict=True)
            ],
        )
        sent = ids.stop

    env = environment(broker) | {"EVENTVIZ_KAFKA_TOPICS": topic, "EVENTVIZ_LOG_LEVEL": "INFO"}
    with Process("ingest", [*MANAGE, "ingest"], tmp_path / "log", env=env) as ingestor:

        def send_until_it_says(words: str) -> None:
            """Send more: whether a poll brings a large batch is the broker's decision."""

            def said() -> bool:
                if words in ingestor.log.read_text():
                    return True
                send_many()
                wait_until(lambda: len(stored()) == sent)
                return False

            wait_until(said)

        send_until_it_says(LINE)
        send_many()
        wait_until(lambda: len(stored()) == sent)
        os.kill(helper_of(ingestor.popen.pid), signal.SIGKILL)
        send_until_it_says("going on without it")

        left = children(ingestor.popen.pid)
        ingestor.send(signal.SIGTERM)

        assert ingestor.wait() == 0
    wait_until(lambda: not [pid for pid in left if Path(f"/proc/{pid}").exists()])
    events = Counter(row.event_id for row in behind(0, 10 * sent))
    assert events == Counter(str(number) for number in range(sent))
