"""Events a second from a real Apache Kafka into the database, with Zipkin at the same work.

python -m tests.benchmarks.throughput [--events N] [--rounds N] [--full] [--docs]
"""

from __future__ import annotations

import argparse
import functools
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import machine, parts, reads, report
from tests.benchmarks.systems import Run, run_postgres, run_sqlite, run_zipkin
from tests.benchmarks.workload import Content
from tests.servers.apache import apache_node
from tests.servers.processes import ROOT
from tests.servers.zipkin import Zipkin

BUILD = ROOT / "build" / "bench"
DOCS = ROOT / "docs"
FULL_EVENTS = 2_000_000
# Where its memory is compared; more would not fit everywhere.
ZIPKIN_EVENTS = 500_000
# The members of a new group have so long to come; the first would take everything else.
MORE = "group.initial.rebalance.delay.ms=2000"
SYSTEMS: dict[str, Callable[[Path, Content], Run]] = {
    "sqlite-1": run_sqlite,
    "zipkin-1": functools.partial(run_zipkin, streams=1),
    "postgres-1": functools.partial(run_postgres, ingestors=1),
    "postgres-2": functools.partial(run_postgres, ingestors=2),
    "zipkin-2": functools.partial(run_zipkin, streams=2),
}


def alternate(folder: Path, content: Content, names: Sequence[str], rounds: int) -> list[Run]:
    """Measure each system once a round: what the machine does meanwhile hits all of them."""
    found = []
    for number in range(rounds):
        for name in names:
            machine.touch_memory()
            run = SYSTEMS[name](folder, content)
            say(f"round {number + 1}  {report.line(run)}")
            found.append(run)
    return found


def measure_parts(folder: Path, content: Content) -> list[dict[str, Any]]:
    """Measure every part alone."""
    found = []
    for part in (*parts.CONSUME, *parts.STORE):
        found.append(parts.run(part, folder, content))
        say(f"part     {found[-1]}")
    return found


def measure_reads(folder: Path, content: Content, *, top_rate: float) -> dict[str, Any]:
    """Fill a SQLite file, then ask it while half the top rate comes in."""
    file = folder / "reads.sqlite3"
    run_sqlite(folder, content, keep=file)
    return reads.measure(folder, content, f"sqlite:///{file}", rate=top_rate / 2)


def measure_growth(folder: Path, broker: str, *, top_rate: float) -> dict[str, Any]:
    """Measure from empty to two million events, and ask the full database."""
    content = Content(broker, "long", FULL_EVENTS)
    content.fill(spans=False)
    file = folder / "growth.sqlite3"
    runs = [run_sqlite(folder, content, keep=file)]
    say(report.line(runs[-1]))
    asked = reads.measure(folder, content, f"sqlite:///{file}", rate=top_rate / 2)
    # The reads have added events to the topic, behind those that count.
    file.unlink()
    runs.append(run_postgres(folder, content, ingestors=2))
    say(report.line(runs[-1]))
    few = Content(broker, "long", ZIPKIN_EVENTS)
    few.fill(spans=True)
    answers: list[dict[str, Any]] = []

    def ask(server: Zipkin) -> None:
        answers.append(reads.measure_zipkin(server, few.ids, seconds=20))

    peer = run_zipkin(folder, few, streams=1, ask=ask)
    say(report.line(peer))
    return {
        "curves": {run.system: report.curve(run) for run in runs},
        "memory_mb_at_500k": {
            run.system: report.memory_at(run, ZIPKIN_EVENTS) for run in (*runs, peer)
        },
        "reads": asked,
        "zipkin_reads_ms": answers[0],
    }


def measure_all(options: argparse.Namespace) -> dict[str, Any]:
    """Run the whole benchmark and return what came out."""
    result: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine.describe(),
        "events": options.events,
        "rounds": options.rounds,
    }
    with tempfile.TemporaryDirectory(prefix="eventviz-bench-") as name:
        folder = Path(name)
        with apache_node(folder, more=MORE) as node:
            content = Content(node.address(), "short", options.events)
            for spans in (False, True):
                content.fill(spans=spans)
            runs = alternate(folder, content, options.systems.split(","), options.rounds)
            result["systems"] = report.medians(runs)
            result["runs"] = [run.plain() for run in runs]
            if not options.no_parts:
                result["parts"] = measure_parts(folder, content)
            if not options.no_reads:
                top = max((run.rate for run in runs if run.system == "sqlite-1"), default=2_000.0)
                result["reads"] = measure_reads(folder, content, top_rate=top)
                if options.full:
                    result["growth"] = measure_growth(folder, content.broker, top_rate=top)
    return result


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Measure, print a table, write JSON and charts."""
    parser = argparse.ArgumentParser(prog="throughput", description=__doc__)
    parser.add_argument("--events", type=int, default=120_000, help="a system and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--no-parts", action="store_true")
    parser.add_argument("--no-reads", action="store_true")
    parser.add_argument("--full", action="store_true", help="also up to 2 million events")
    parser.add_argument("--docs", action="store_true", help="put the charts into docs/")
    options = parser.parse_args(arguments)
    # Told to end, it ends its servers first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    result = measure_all(options)
    BUILD.mkdir(parents=True, exist_ok=True)
    file = BUILD / "throughput.json"
    file.write_text(json.dumps(result, indent=1))
    say(report.table(result))
    for name, picture in report.charts(result).items():
        for folder in (BUILD, DOCS) if options.docs else (BUILD,):
            (folder / name).write_text(picture)
    say(f"Written to {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
