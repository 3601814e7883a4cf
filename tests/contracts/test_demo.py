"""One command starts the demo and one key ends it, without an orphan."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.processes import MANAGE, Process, can_connect, free_port, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.broker]


class Demo:
    """A running `manage.py demo` on two ports of its own."""

    def __init__(self, folder: Path) -> None:
        """Start it; what it makes stays in the folder."""
        self.port, self.kafka_port = free_port(), free_port()
        self.began = time.monotonic()
        ports = ["--port", str(self.port), "--kafka-port", str(self.kafka_port)]
        log = folder / f"demo-{self.port}.log"
        self.process = Process("demo", [*MANAGE, "demo", *ports], log)

    def flows(self) -> list[dict[str, object]]:
        """Return its flows; none while it does not answer."""
        try:
            url = f"http://127.0.0.1:{self.port}/api/flows"
            with urllib.request.urlopen(url, timeout=60) as answer:
                flows: list[dict[str, object]] = json.load(answer)["flows"]
                return flows
        except OSError:
            return []

    def wait_for_flows(self) -> list[dict[str, object]]:
        """Return its flows once there is one."""
        return self.process.wait_until(self.flows, "a first flow")

    def wait_for_words(self) -> str:
        """Return what it says once it has said how to end it."""
        return self.process.wait_until(
            lambda: self.process.output if "Ctrl-C" in self.process.output else "", "its words"
        )

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit code."""
        os.killpg(self.process.popen.pid, signal.SIGINT)
        return self.process.wait()

    def members(self) -> list[str]:
        """Return the commands that still run in its session."""
        listing = subprocess.run(
            ["ps", "-s", str(self.process.popen.pid), "-o", "args="],
            capture_output=True,
            text=True,
            check=False,
        )
        return listing.stdout.splitlines()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Demo]]:
    """Yield a function that starts a demo; all of them end with the test."""
    demos: list[Demo] = []

    def begin() -> Demo:
        demos.append(Demo(tmp_path))
        return demos[-1]

    yield begin
    for demo in demos:
        demo.process.end()


def test_a_second_demo_shows_its_first_flow_by_itself(
    start: Callable[[], Demo], record_property: Callable[[str, object], None]
) -> None:
    """How fast it does is printed here and judged by `make bench`."""
    first = start()
    first.wait_for_flows()
    first.interrupt()

    demo = start()
    demo.wait_for_flows()
    took_s = time.monotonic() - demo.began

    said = demo.wait_for_words()
    assert f"http://127.0.0.1:{demo.port}" in said
    assert f"127.0.0.1:{demo.kafka_port}" in said
    record_property("measured", f"demo, from its start to its first flow: {took_s:.1f} s")


def test_control_c_ends_every_process(start: Callable[[], Demo]) -> None:
    demo = start()
    demo.wait_for_flows()
    assert len(demo.members()) >= 4

    code = demo.interrupt()

    assert code in {0, 130}, demo.process.output
    assert wait_for(lambda: not demo.members(), "no process is left")
    assert not can_connect(demo.port)
    assert not can_connect(demo.kafka_port)
    assert "Traceback" not in demo.process.output


def test_two_demos_run_side_by_side(start: Callable[[], Demo]) -> None:
    left, right = start(), start()

    ids = [{flow["correlation_id"] for flow in demo.wait_for_flows()} for demo in (left, right)]

    assert not ids[0] & ids[1]


@pytest.mark.parametrize("which", ["port", "kafka_port"])
def test_a_taken_port_is_one_clear_line_and_a_failure(which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"port": free_port(), "kafka_port": free_port(), which: port}
        arguments = ["--port", str(ports["port"]), "--kafka-port", str(ports["kafka_port"])]

        done = subprocess.run(
            [*MANAGE, "demo", *arguments], capture_output=True, text=True, timeout=120, check=False
        )

    assert done.returncode != 0
    assert str(port) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_dead_child_ends_the_demo_with_a_failure(start: Callable[[], Demo]) -> None:
    demo = start()
    demo.wait_for_flows()
    listing = subprocess.run(
        ["ps", "-s", str(demo.process.popen.pid), "-o", "pid=,args="],
        capture_output=True,
        text=True,
        check=True,
    )
    ingest = next(line for line in listing.stdout.splitlines() if "ingest" in line)

    os.kill(int(ingest.split()[0]), signal.SIGKILL)

    assert demo.process.wait() != 0
    assert wait_for(lambda: not demo.members(), "no process is left")
    assert "Traceback" not in demo.process.output
