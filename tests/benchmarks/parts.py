"""The parts of the write path alone, each in a process of its own.

python -m tests.benchmarks.parts PART BROKER TOPIC EVENTS

EVENTVIZ_DATABASE_URL names the database.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from tests.benchmarks.workload import PARTITIONS, Content
from tests.servers.processes import MANAGE, ROOT

if TYPE_CHECKING:
    from tracing.kafka.consumer import Fetched

MAX_RECORD_BYTES = 2 * 1024 * 1024

# Name -> what is put in its place. Only here: the product has no switch for it.
Replacement = tuple[str, Callable[..., Any]]


def _events_alone(batch: Sequence[Any], *_others: Any) -> tuple[list[int], list[int]]:
    return [1] * len(batch), []


def _flows_alone(*arguments: Any) -> None:
    importlib.import_module("tracing.projections.flows").project(*arguments)


def _nothing(*_arguments: Any) -> list[Any]:
    return []


LEFT_OUT: dict[str, Replacement] = {
    "search keys": ("tracing.projections.flows.write_keys", _nothing),
    "flows and search keys": ("tracing.projections.flows.project", _events_alone),
    "events": ("tracing.projections.store.project", _flows_alone),
    "all read models": ("tracing.projections.store.project", _nothing),
}
CONSUME = ("consume", "consume, decode")
STORE = ("store", *(f"store without {name}" for name in LEFT_OUT))


def polls(broker: str, topic: str, events: int) -> Iterator[list[Fetched]]:
    """Yield what each poll of the product's consumer brings, until so many events have come."""
    from tracing.kafka.consumer import LogConsumer, Place

    consumer = LogConsumer([broker], group="parts", max_record_bytes=MAX_RECORD_BYTES)
    consumer.assign({Place(topic, number): 0 for number in range(PARTITIONS)})
    seen = 0
    while seen < events:
        fetched = consumer.poll(500)
        seen += sum(len(part) for part in fetched)
        yield fetched
    consumer.close()


def consume(broker: str, topic: str, events: int, *, decoded: bool) -> tuple[float, float]:
    """Read everything, and perhaps decode it; return seconds and CPU seconds."""
    from tracing.codec import decode
    from tracing.projections.settings import current_rules

    rules = current_rules()
    begun, used = time.monotonic(), time.process_time()
    for fetched in polls(broker, topic, events):
        if decoded:
            for part in fetched:
                for record in part.each():
                    decode(record, rules)
    return time.monotonic() - begun, time.process_time() - used


def store(broker: str, topic: str, events: int, *, left_out: str | None) -> tuple[float, float]:
    """Store everything from memory, decoding included; return seconds and CPU seconds."""
    from tracing.kafka.consumer import Place
    from tracing.models import Partition
    from tracing.projections.catalogue import Catalogue
    from tracing.projections.store import Slice
    from tracing.projections.store import store as store_batch

    catalogue = Catalogue()
    rows = [
        catalogue.partition(topic=topic, topic_uuid="bench", number=number)
        for number in range(PARTITIONS)
    ]
    Partition.objects.update(next_offset=0)
    ids = {Place(topic, number): row.id for number, row in enumerate(rows)}
    ends = dict.fromkeys(ids, 0)
    batches = []
    for fetched in polls(broker, topic, events):
        slices = []
        for part in fetched:
            start, ends[part.place] = ends[part.place], part.end
            slices.append(
                Slice(
                    partition_id=ids[part.place],
                    start=start,
                    end=part.end,
                    records=part.records,
                    stretches=part.stretches,
                )
            )
        batches.append(slices)
    if left_out:
        _replace(*LEFT_OUT[left_out])
    # What waits here for its turn is not looked at again and again, as it would not be there.
    gc.collect()
    gc.freeze()
    begun, used = time.monotonic(), time.process_time()
    for slices in batches:
        store_batch(slices, catalogue)
    return time.monotonic() - begun, time.process_time() - used


def _replace(name: str, stand_in: Callable[..., Any]) -> None:
    module, _, attribute = name.rpartition(".")
    owner = importlib.import_module(module)
    # Fails when the product has moved on: then this table must, too.
    getattr(owner, attribute)
    setattr(owner, attribute, stand_in)


def measure(part: str, broker: str, topic: str, events: int) -> dict[str, Any]:
    """Return a part's rate and its microseconds of CPU an event, in this process."""
    if part in CONSUME:
        seconds, cpu_s = consume(broker, topic, events, decoded=part != "consume")
    else:
        seconds, cpu_s = store(
            broker, topic, events, left_out=part.partition(" without ")[2] or None
        )
    return {"part": part, "rate": events / seconds, "cpu_us": cpu_s / events * 1e6}


def run(part: str, folder: Path, content: Content, *, database: str = "") -> dict[str, Any]:
    """Measure a part in a process of its own, on a new SQLite file or the given database."""
    file = folder / f"part-{time.monotonic_ns()}.sqlite3"
    url = database or f"sqlite:///{file}"
    env = {**os.environ, "EVENTVIZ_DATABASE_URL": url, "EVENTVIZ_LOG_LEVEL": "WARNING"}
    try:
        subprocess.run([*MANAGE, "migrate", "--verbosity", "0"], env=env, cwd=ROOT, check=True)
        command = [sys.executable, "-m", "tests.benchmarks.parts", part]
        command += [content.broker, content.topic(spans=False), str(content.events)]
        done = subprocess.run(
            command, env=env, cwd=ROOT, check=False, capture_output=True, text=True
        )
    finally:
        for piece in folder.glob(f"{file.name}*"):
            piece.unlink()
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        return {"part": part, "failed": last}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(arguments: list[str]) -> int:
    """Measure one part here; write JSON."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventviz.settings")
    django.setup()
    part, broker, topic, events = arguments
    sys.stdout.write(json.dumps(measure(part, broker, topic, int(events))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
