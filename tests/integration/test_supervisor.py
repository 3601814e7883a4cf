"""Several processes are one: they begin together, and none outlives the others."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.servers.processes import wait_for
from tracing.management.supervisor import (
    ChildEndedError,
    PortTakenError,
    Supervisor,
    accepts,
    check_port,
)

pytestmark = pytest.mark.slow

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
# Tells its process id, then ignores every polite request to end.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_it_puts_the_childs_name_before_each_line() -> None:
    out = io.StringIO()
    code = "import sys; print('one'); print('two', file=sys.stderr); sys.stdout.write('three')"

    with Supervisor(out) as supervisor:
        supervisor.start("child", [sys.executable, "-u", "-c", code])
        supervisor.finish("child")

    assert out.getvalue() == "child     | one\nchild     | two\nchild     | three\n"


@pytest.mark.parametrize(("code", "says"), [("raise SystemExit(3)", "code 3"), ("pass", "code 0")])
def test_a_child_that_ends_ends_the_others_and_is_named(code: str, says: str) -> None:
    out = io.StringIO()

    with Supervisor(out) as supervisor:
        supervisor.start("long", SLEEPER)
        supervisor.wait_until(lambda: "up" in out.getvalue(), timeout_s=60, what="It")
        [long] = supervisor._children.values()
        supervisor.start("short", [sys.executable, "-c", code])
        with pytest.raises(ChildEndedError, match=f"short ended with {says}"):
            supervisor.run()

    assert long.returncode == -signal.SIGTERM


def test_a_stubborn_child_is_killed() -> None:
    out = io.StringIO()

    with Supervisor(out, grace_s=0.2) as supervisor:
        supervisor.start("stubborn", [sys.executable, "-c", STUBBORN])
        supervisor.wait_until(lambda: "|" in out.getvalue(), timeout_s=60, what="It")
        [child] = supervisor._children.values()

    assert child.returncode == -signal.SIGKILL


def test_the_last_words_are_those_of_the_child_that_ended() -> None:
    out = io.StringIO()
    noisy = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit('bye'))"

    with Supervisor(out) as supervisor:
        supervisor.start("noisy", [sys.executable, "-c", f"{noisy}; print('up'); time.sleep(60)"])
        supervisor.start("short", [sys.executable, "-c", "raise SystemExit('I have no ground')"])
        with pytest.raises(ChildEndedError):
            supervisor.run()

    assert "short     | I have no ground\n" in out.getvalue()
    assert "bye" not in out.getvalue()


def test_it_says_what_did_not_answer_in_time() -> None:
    with Supervisor(io.StringIO()) as supervisor:
        supervisor.start("long", SLEEPER)
        with pytest.raises(ChildEndedError, match="The thing has not answered"):
            supervisor.wait_until(lambda: False, timeout_s=0.1, what="The thing")


def test_a_taken_port_is_one_line_with_advice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(PortTakenError, match=f"Port {port} is taken: take another"):
            check_port(port, "take another")

        assert accepts(port)
    check_port(port, "it is free again")
    with pytest.raises(PortTakenError, match=r"Port 70000 cannot be used \(.*\): take another"):
        check_port(70_000, "take another")
    assert not accepts(port)


PARENT = """
import sys
from tracing.management.supervisor import StopRequested, Supervisor
try:
    with Supervisor(sys.stdout, grace_s=0.5) as supervisor:
        supervisor.start("stubborn", [sys.executable, "-c", {stubborn!r}])
        supervisor.run()
except StopRequested:
    print("ended in order")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the Linux kernel")
@pytest.mark.parametrize(
    ("signum", "code"),
    [
        (signal.SIGKILL, -signal.SIGKILL),
        (signal.SIGTERM, 0),
        (signal.SIGINT, 0),
        (signal.SIGHUP, 0),
    ],
)
def test_no_child_is_left_when_the_supervisor_ends(signum: int, code: int) -> None:
    script = textwrap.dedent(PARENT).format(stubborn=STUBBORN)
    parent = subprocess.Popen(
        [sys.executable, "-u", "-c", script], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline().partition("|")[2])
    assert is_alive(child)

    os.kill(parent.pid, signum)

    said, _ = parent.communicate(timeout=60)
    assert parent.returncode == code
    assert ("ended in order" in said) is (code == 0)
    assert wait_for(lambda: not is_alive(child), "the child is gone")
