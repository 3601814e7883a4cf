"""The ingestor against the embedded broker: what it reads, from where, and what it says."""

from __future__ import annotations

import itertools
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from tests.integration.log import stored
from tests.servers.processes import MANAGE, PATIENCE_S, Process, free_port, wait_for
from tests.strangers.hostile import NotText
from tests.strangers.producing import Sent, create_topics, delete_topics, envelope, send
from tracing.ingest.alone import alone
from tracing.ingest.beginning import Beginning
from tracing.ingest.pipeline import Pipeline
from tracing.ingest.selection import parse_start
from tracing.ingest.session import APART_S, Options
from tracing.kafka.consumer import Fetched, LogConsumer, Place
from tracing.kafka.producer import Producer
from tracing.models import Ingestor, Partition, Source
from tracing.projections.events import behind

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("live_log")]


@contextmanager
def ingesting(broker: str, *patterns: str, start: str = "earliest") -> Iterator[None]:
    """Run an ingestor in a thread of its own."""
    stop = threading.Event()
    options = Options(
        servers=[broker],
        patterns=patterns,
        start=parse_start(start),
        group="test",
        name="test",
        discovery_ms=100,
        max_record_bytes=100_000,
    )

    def run() -> None:
        try:
            Pipeline(options, stop).run()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again until it holds."""
    wait_for(condition, "the ingestor")


def message(event_id: str, topic: str) -> Sent:
    """Return an envelope on its way to a topic."""
    return Sent(topic, envelope("OrderPlaced", correlation_id="c", event_id=event_id), b"k")


@pytest.fixture
def topic() -> str:
    """Return a topic name that no other test uses."""
    return f"orders-{uuid.uuid4().hex[:8]}"


def test_it_reads_a_topic_that_appears_later(broker: str, topic: str) -> None:
    with ingesting(broker, f"{topic}*", start="latest"):
        wait_until(lambda: Ingestor.objects.filter(state="running").exists())

        create_topics(broker, [f"{topic}-new"])
        send(broker, [message("a", f"{topic}-new")])

        wait_until(lambda: len(stored()) == 1)


def test_a_topic_made_anew_is_a_new_source_that_begins_at_0(broker: str, topic: str) -> None:
    create_topics(broker, [topic])
    send(broker, [message("a", topic), message("b", topic)])
    with ingesting(broker, topic):
        wait_until(lambda: len(stored()) == 2)

        delete_topics(broker, [topic])
        create_topics(broker, [topic])
        # Fetches name topics by their names: until the next look, they cannot tell the two apart.
        wait_until(lambda: Source.objects.filter(topic=topic).count() == 2)
        send(broker, [message("c", topic)])

        wait_until(lambda: len(stored()) == 3)
    newest = Source.objects.filter(topic=topic).latest("id")
    assert Partition.objects.get(source=newest, next_offset__gt=0).next_offset == 1


def test_it_goes_on_from_its_checkpoint(broker: str, topic: str) -> None:
    create_topics(broker, [topic])
    send(broker, [message("a", topic)])
    with ingesting(broker, topic):
        wait_until(lambda: len(stored()) == 1)
    send(broker, [message("b", topic)])

    with ingesting(broker, topic):
        wait_until(lambda: len(stored()) == 2)

    assert Ingestor.objects.get().state == "stopped"
    assert sum(partition.next_offset or 0 for partition in Partition.objects.all()) == 2


def test_small_batches_are_some_time_apart(
    broker: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_topics(broker, [topic])
    came: list[float] = []
    poll = LogConsumer.poll

    def noted(consumer: LogConsumer, timeout_ms: int) -> list[Fetched]:
        fetched = poll(consumer, timeout_ms)
        came.append(time.monotonic())
        return fetched

    monkeypatch.setattr(LogConsumer, "poll", noted)
    with ingesting(broker, topic):
        producer = Producer([broker], client_id="test")
        for number in range(60):
            producer.deliver(
                topic, b"k", envelope("OrderPlaced", correlation_id="c", event_id=f"e{number}")
            )
        producer.close()
        wait_until(lambda: len(behind(0, 100)) == 60)

    assert min(after - before for before, after in itertools.pairwise(came)) >= APART_S


def test_a_topic_that_is_not_wanted_is_left_alone(broker: str, topic: str) -> None:
    create_topics(broker, [topic, f"{topic}-other"])
    send(broker, [message("a", f"{topic}-other"), message("b", topic)])

    with ingesting(broker, topic):
        wait_until(lambda: len(stored()) == 1)

    assert list(Source.objects.values_list("topic", flat=True)) == [topic]


def test_an_oversized_value_keeps_its_prefix_length_and_hash(broker: str, topic: str) -> None:
    create_topics(broker, [topic])
    send(broker, [Sent(topic, b"x" * 200_000, b"k"), message("b", topic)])

    with ingesting(broker, topic):
        wait_until(lambda: len(stored()) == 2)

    (row,) = [one for one in stored() if one.value_length == 200_000]
    assert len(row.value or b"") == 65_536
    assert len(row.value_sha256 or b"") == 32


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has one ingestor")
def test_a_second_ingestor_on_one_sqlite_file_is_refused(tmp_path: Path) -> None:
    with (
        alone(),
        Process("ingest", [*MANAGE, "ingest"], tmp_path / "log", env=environment("")) as second,
    ):
        assert second.wait() == 1
        assert "Another ingestor is at work" in second.output


def environment(broker: str) -> dict[str, str]:
    """Return the settings of a process that works on this test's database."""
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        server = f"{database['USER']}@{database['HOST']}:{database['PORT']}"
        url = f"postgres://{server}/{database['NAME']}"
    return {
        "EVENTVIZ_DATABASE_URL": url,
        "EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS": broker,
    }


def test_a_broker_that_is_away_is_waited_for_and_said(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with Process(
        "ingest", [*MANAGE, "ingest"], tmp_path / "log", env=environment(address)
    ) as ingestor:
        wait_until(lambda: Ingestor.objects.filter(state="waiting").exists())
        assert address in Ingestor.objects.get().detail

        ingestor.send(signal.SIGTERM)

        assert ingestor.wait() == 0
    assert Ingestor.objects.get().state == "stopped"


def test_a_batch_that_the_client_cannot_read_is_quarantined_and_the_rest_stored(
    broker: str, topic: str
) -> None:
    create_topics(broker, [topic], partitions=1)
    bad = Sent(topic, b"lost", b"k", ((NotText("x"), b"1"),))
    for batch in (
        [message("a", topic)],
        [bad],
        [message("b", topic)],
        [bad],
        [message("c", topic)],
    ):
        send(broker, batch)

    with ingesting(broker, topic):
        wait_until(lambda: len(stored()) == 5)

    rows = stored()
    assert [row.error is None for row in rows] == [True, False, True, False, True]
    assert "cannot be read" in (rows[1].error or "")
    assert sorted(row.event_id for row in behind(0, 100)) == [
        "a",
        "b",
        "c",
        f"{topic}[0]@1",
        f"{topic}[0]@3",
    ]


def test_a_new_connection_takes_no_topic_that_came_meanwhile_for_known(broker: str) -> None:
    first, later = (f"known-{uuid.uuid4().hex[:8]}-{number}" for number in (1, 2))
    create_topics(broker, [first], partitions=1)
    beginning = Beginning(parse_start("latest"))
    beginning.see([Place(first, 0)])
    create_topics(broker, [later], partitions=1)
    send(broker, [Sent(name, b"{}") for name in (first, later)])

    beginning.see([Place(first, 0), Place(later, 0)])
    consumer = LogConsumer([broker], group="known", max_record_bytes=1_000)
    found = beginning.offsets([Place(first, 0), Place(later, 0)], consumer)
    consumer.close()

    assert found == {Place(first, 0): 1, Place(later, 0): 0}
