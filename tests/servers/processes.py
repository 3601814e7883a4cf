"""Start a process with its log in a file, wait until it is ready, end it by its process id."""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tracing.management.supervisor import die_with

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
MANAGE = (sys.executable, str(ROOT / "manage.py"))
END_S = 10.0
LOG_TAIL = 4000
# How long a test waits for what usually comes at once: a busy machine is no defect.
PATIENCE_S = 60.0
# Below those that the system hands out by itself: no connection takes one of them by chance.
PORTS = range(20_000, 32_000)

T = TypeVar("T")


class ServerError(Exception):
    """A server did not do what its test needs."""


def free_port() -> int:
    """Return a loopback port that nobody listens on, and that no other process of tests is given.

    Whoever asked for it may listen there later, end, and listen again: it is kept by the lock of a
    file for as long as this process lives.
    """
    folder = Path(tempfile.gettempdir()) / f"eventviz-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for _ in range(1_000):
        port = secrets.choice(PORTS)
        held = os.open(folder / str(port), os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(held)
            continue
        return port
    raise ServerError("no port is free")


def can_connect(port: int) -> bool:
    """Return whether somebody listens on the loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


def wait_for(
    look: Callable[[], T | None],
    what: str,
    *,
    within_s: float = PATIENCE_S,
    every_s: float = 0.02,
) -> T:
    """Return the first truthy answer of `look`. Raises ServerError after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise ServerError(f"{what}: not within {within_s:g} s; the last answer was {answer!r}")
        time.sleep(every_s)


class Process:
    """A child process whose output goes to `log`; leaving the `with` ends it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
    ) -> None:
        """Start it; `env` is added to ours."""
        self.name = name
        self.log = log
        with log.open("ab") as output:
            # A session of its own: Ctrl-C in the terminal reaches the tests, which end it in order.
            self.popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
                cwd=cwd,
                start_new_session=True,
                # Should the tests themselves be killed, nothing stays behind.
                preexec_fn=die_with(os.getpid(), signal.SIGTERM),
            )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self.end()

    @property
    def output(self) -> str:
        """Return the last of what it wrote."""
        return self.log.read_bytes().decode(errors="replace")[-LOG_TAIL:]

    def wait_until(
        self, look: Callable[[], T | None], what: str, *, within_s: float = PATIENCE_S
    ) -> T:
        """Return the first truthy answer of `look`. Raises ServerError, with the log."""

        def alive() -> T | None:
            answer = look()
            if not answer and self.popen.poll() is not None:
                raise ServerError(f"it ended with {self.popen.returncode}")
            return answer

        try:
            return wait_for(alive, what, within_s=within_s)
        except ServerError as error:
            raise ServerError(f"{self.name}: {error}\n{self.output}") from None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.popen.send_signal(number)

    def freeze(self) -> None:
        """Stop it in its tracks; return when its last thread stands still, not before."""
        self.send(signal.SIGSTOP)
        os.waitid(os.P_PID, self.popen.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """Let it go on."""
        self.send(signal.SIGCONT)

    def wait(self, within_s: float = PATIENCE_S) -> int:
        """Return its exit code once it has ended."""
        return self.popen.wait(within_s)

    def end(self) -> int:
        """Ask it to end, insist after a while, and return its exit code."""
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            return self.popen.wait(END_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait(END_S)
