"""Each system at the same work: collect what is in the topic, from its first record to its last."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.benchmarks import machine
from tests.benchmarks.workload import Content
from tests.servers.postgres import postgres
from tests.servers.processes import MANAGE, Process, ServerError
from tests.servers.zipkin import Zipkin, zipkin

LOOK_S = 0.1
# Slower than any system ever was; behind it, it hangs.
SLOWEST_RATE = 300
# The start of interpreters and of just-in-time compilers is not compared.
WARM_SHARE = 0.3

Ask = Callable[[Zipkin], None]


@dataclass
class Sample:
    """What was seen at a moment: events stored, CPU seconds by process kind, memory in MB.

    `others_s` is what processes that do not belong to the benchmark have used of the cores.
    """

    at_s: float
    stored: int
    cpu_s: dict[str, float]
    memory_mb: float
    others_s: float


@dataclass
class Run:
    """One system's run: rates are of the part behind the warm-up, memory is the highest seen.

    `others` is how many cores processes outside the benchmark used meanwhile.
    """

    system: str
    events: int
    rate: float
    cpu_us: dict[str, float]
    memory_mb: float
    others: float
    series: list[Sample] = field(repr=False)

    @property
    def cpu_us_total(self) -> float:
        """Return microseconds of CPU an event, of all its processes."""
        return sum(self.cpu_us.values())

    def plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def measure(
    system: str,
    events: int,
    *,
    roots: Mapping[str, int],
    stored: Callable[[], int],
    logs: Callable[[], str],
) -> Run:
    """Watch a system until it has stored all events. Raises ServerError when it hangs."""
    begun = time.monotonic()
    series: list[Sample] = []
    while not series or series[-1].stored < events:
        now = time.monotonic()
        count = stored()
        # Looking at the memory is dear, so it is done every tenth time, and in the end.
        dear = len(series) % 10 == 0 or count >= events
        memory = sum(map(machine.memory_mb, roots.values())) if dear else series[-1].memory_mb
        series.append(_sample(round(now - begun, 3), count, roots, round(memory, 1)))
        if now - begun > 60 + events / SLOWEST_RATE:
            raise ServerError(f"{system}: {count} of {events} events\n{logs()}")
        time.sleep(max(0.0, now + LOOK_S - time.monotonic()))
    return summary(system, events, series)


def _sample(at_s: float, count: int, roots: Mapping[str, int], memory_mb: float) -> Sample:
    cpu: dict[str, float] = {}
    for name, root in roots.items():
        kind = name.rstrip("0123456789")
        cpu[kind] = cpu.get(kind, 0.0) + machine.cpu_s(root)
    # A database server is nobody's child.
    ours = machine.cpu_s(os.getpid()) + cpu.get("database", 0.0)
    return Sample(at_s, count, cpu, memory_mb, round(machine.busy_s() - ours, 2))


def summary(system: str, events: int, series: list[Sample]) -> Run:
    """Return a run's figures from its samples."""
    last = series[-1]
    first = next(sample for sample in series if sample.stored >= events * WARM_SHARE)
    counted = last.stored - first.stored
    if not counted:
        # Too few events for two looks: the whole run, from the last look at nothing.
        first = [sample for sample in series if not sample.stored][-1]
        counted = last.stored
    return Run(
        system=system,
        events=events,
        rate=counted / (last.at_s - first.at_s),
        cpu_us={
            name: (seconds - first.cpu_s[name]) / counted * 1e6
            for name, seconds in last.cpu_s.items()
        },
        memory_mb=max(sample.memory_mb for sample in series),
        others=(last.others_s - first.others_s) / (last.at_s - first.at_s),
        series=series,
    )


def run_zipkin(folder: Path, content: Content, *, streams: int, ask: Ask | None = None) -> Run:
    """Measure Zipkin with in-memory storage; `ask` may put questions to it afterwards."""
    topic = content.topic(spans=True)
    with zipkin(folder, content.broker, topic=topic, streams=streams) as server:
        run = measure(
            f"zipkin-{streams}",
            content.events,
            roots={"server": server.process.popen.pid},
            stored=lambda: server.counted("spans"),
            logs=lambda: server.process.output,
        )
        dropped = server.counted("spans_dropped")
        if ask:
            ask(server)
    if dropped:
        raise ServerError(f"Zipkin dropped {dropped} spans.")
    return run


def run_sqlite(folder: Path, content: Content, *, keep: Path | None = None) -> Run:
    """Measure one ingestor on a new SQLite file, which may be kept."""
    file = keep or folder / f"bench-{time.monotonic_ns()}.sqlite3"
    with ingesting(folder, content, f"sqlite:///{file}", ingestors=1) as ingestors:
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        with contextlib.closing(connection):
            run = _measure_ours("sqlite-1", content.events, ingestors, {}, _reader(connection))
    if keep is None:
        for part in folder.glob(f"{file.name}*"):
            part.unlink()
    return run


def run_postgres(folder: Path, content: Content, *, ingestors: int) -> Run:
    """Measure ingestors of one group on Postgres, which flushes at each commit."""
    with (
        postgres(durable=True) as url,
        ingesting(folder, content, url, ingestors=ingestors) as processes,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        server = machine.parent_of(connection.info.backend_pid)
        name = f"postgres-{ingestors}"
        others = {"database": server}
        return _measure_ours(name, content.events, processes, others, _reader(connection))


@contextmanager
def ingesting(
    folder: Path, content: Content, database: str, *, ingestors: int
) -> Iterator[list[Process]]:
    """Run `manage.py migrate`, then so many `manage.py ingest`, from the topic's beginning."""
    number = time.monotonic_ns()
    env = {
        "EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS": content.broker,
        "EVENTVIZ_KAFKA_TOPICS": content.topic(spans=False),
        "EVENTVIZ_KAFKA_GROUP": f"bench-{number}",
        "EVENTVIZ_DATABASE_URL": database,
    }
    log = folder / f"ingest-{number}.log"
    migrate = [*MANAGE, "migrate", "--verbosity", "0"]
    with Process("migrate", migrate, log, env=env) as process:
        if process.wait(60):
            raise ServerError(process.output)
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(Process(f"ingest {one}", [*MANAGE, "ingest"], log, env=env))
            for one in range(ingestors)
        ]
        yield processes


def _reader(connection: Any) -> Callable[[str], int]:
    def one(statement: str) -> int:
        found = connection.execute(statement).fetchone()
        return int(found[0] or 0)

    return one


def _measure_ours(
    system: str,
    events: int,
    ingestors: list[Process],
    others: Mapping[str, int],
    read: Callable[[str], int],
) -> Run:
    run = measure(
        system,
        events,
        roots={f"ingest{n}": one.popen.pid for n, one in enumerate(ingestors)} | dict(others),
        stored=lambda: read("SELECT position FROM tracing_loghead"),
        logs=lambda: ingestors[0].output,
    )
    # In the read models too, and nothing twice.
    missing = read(
        "SELECT (SELECT position FROM tracing_loghead) - (SELECT sum(events) FROM tracing_flow)"
    )
    if missing:
        raise ServerError(f"{system}: the flows lack {missing} of the events.")
    return run
