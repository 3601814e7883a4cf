"""Run several programs as one: their lines with their names, and all of them or none.

Every child leads a process group of its own, so Ctrl-C reaches the supervisor alone, which then
ends them in good order. On Linux the kernel ends them even if the supervisor is killed with -9.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tracing.domain.errors import EventvizError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType
    from typing import TextIO

TICK_S: Final = 0.1
GRACE_S: Final = 4.0
MAX_LINE: Final = 4_000
# ANSI foreground colours.
_COLOURS: Final = (36, 35, 33, 32, 34, 31)
_PR_SET_PDEATHSIG: Final = 1


class ChildEndedError(EventvizError):
    """A part of the whole has ended by itself."""


class PortTakenError(EventvizError):
    """A port is taken."""

    def __init__(self, advice: str) -> None:
        """Say the advice alone: it names the port."""
        Exception.__init__(self, advice)


class StopRequested(BaseException):
    """Somebody asked for the end: Ctrl-C, SIGTERM or a closed terminal."""


def check_port(port: int, advice: str, *, host: str = "127.0.0.1") -> None:
    """Raise PortTakenError with one line of advice unless a server could listen here."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            why = "is taken" if taken else f"cannot be used ({error})"
            raise PortTakenError(f"Port {port} {why}: {advice}") from error
    # Some systems let us stand before somebody who listens on all addresses.
    if accepts(port, host=host):
        raise PortTakenError(f"Port {port} is taken: {advice}")


def accepts(port: int, *, host: str = "127.0.0.1") -> bool:
    """Tell whether somebody listens there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def die_with(parent: int, signum: int) -> Callable[[], None]:
    """Return what a process does first, so that the kernel sends it `signum` after its parent.

    Only Linux has this; elsewhere it does nothing.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    libc = ctypes.CDLL(None)

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signum)
        if os.getppid() != parent:
            # The parent died before we could ask.
            os.kill(os.getpid(), signum)

    return ask_kernel


class Supervisor:
    """Starts children and watches them; used as a context manager that ends them all.

    Signals are caught while it is entered: SIGINT, SIGTERM and SIGHUP raise StopRequested.
    """

    def __init__(self, out: TextIO, *, grace_s: float = GRACE_S) -> None:
        """Write the children's lines to `out`; they have `grace_s` to end when told to."""
        self._out = out
        self._grace_s = grace_s
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._selector = selectors.DefaultSelector()
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Supervisor:
        """Catch the signals that mean the end."""
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[signum] = signal.signal(signum, _request_stop)
        return self

    def __exit__(self, *exc: object) -> None:
        """End every child and give the signals back."""
        for signum in self._handlers:
            signal.signal(signum, signal.SIG_IGN)
        self._end_all()
        self._selector.close()
        for signum, handler in self._handlers.items():
            signal.signal(signum, handler)

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a child; its output, both streams, appears line by line behind its name."""
        child = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            # Safe here: the supervisor has no threads.
            preexec_fn=die_with(os.getpid(), signal.SIGKILL),
        )
        assert child.stdout is not None
        os.set_blocking(child.stdout.fileno(), False)
        self._selector.register(
            child.stdout, selectors.EVENT_READ, _Lines(name, len(self._children))
        )
        self._children[name] = child

    def wait_until(self, ready: Callable[[], bool], *, timeout_s: float, what: str) -> None:
        """Look again and again until `ready`. Raises ChildEndedError, also at the timeout."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if time.monotonic() > deadline:
                raise ChildEndedError(f"{what} has not answered for {timeout_s:g} s.")
            self._tick()

    def run(self) -> NoReturn:
        """Forward lines until somebody asks for the end. Raises ChildEndedError."""
        while True:
            self._tick()

    def finish(self, name: str) -> None:
        """Wait for a child that is meant to end. Raises ChildEndedError if it failed."""
        child = self._children[name]
        while child.poll() is None:
            self._forward(TICK_S)
        self._forward(0)
        self._close(self._children.pop(name))
        if child.returncode:
            raise ChildEndedError(_epitaph(name, child.returncode))

    def _tick(self) -> None:
        for name, child in self._children.items():
            if child.poll() is not None:
                self._last_words(child)
                raise ChildEndedError(_epitaph(name, child.returncode))
        self._forward(TICK_S)

    def _forward(self, timeout_s: float, *, aloud: bool = True) -> None:
        if not self._selector.get_map():
            time.sleep(timeout_s)
            return
        for key, _ in self._selector.select(timeout_s):
            self._read(key, aloud=aloud)
        self._out.flush()

    def _last_words(self, child: subprocess.Popen[bytes]) -> None:
        if child.stdout is not None and child.stdout in self._selector.get_map():
            self._read(self._selector.get_key(child.stdout), aloud=True)

    def _read(self, key: selectors.SelectorKey, *, aloud: bool) -> None:
        try:
            chunk = os.read(key.fd, 65_536)
        except BlockingIOError:
            return
        lines: _Lines = key.data
        for line in lines.feed(chunk) if aloud else ():
            self._out.write(lines.prefix(self._out.isatty()) + line + "\n")
        if not chunk:
            self._selector.unregister(key.fileobj)

    def _end_all(self) -> None:
        self._signal_all(signal.SIGTERM)
        deadline = time.monotonic() + self._grace_s
        while any(child.poll() is None for child in self._children.values()):
            if time.monotonic() > deadline:
                break
            # A child that cannot write cannot end; what it says of the others' end helps nobody.
            self._forward(TICK_S, aloud=False)
        self._signal_all(signal.SIGKILL)
        for child in self._children.values():
            child.wait()
            self._close(child)

    def _close(self, child: subprocess.Popen[bytes]) -> None:
        if child.stdout:
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.stdout)
            child.stdout.close()

    def _signal_all(self, signum: signal.Signals) -> None:
        for child in self._children.values():
            if child.poll() is None:
                # The whole group: a child may have children.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signum)


class _Lines:
    """A child's output, cut into lines."""

    def __init__(self, name: str, place: int) -> None:
        self._name = name
        self._colour = _COLOURS[place % len(_COLOURS)]
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        """Return the lines that are whole now; an empty chunk is the end."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if self._rest and (not chunk or len(self._rest) > MAX_LINE):
            lines.append(self._rest)
            self._rest = b""
        return [line.decode("utf-8", "replace").rstrip() for line in lines]

    def prefix(self, colour: bool) -> str:  # noqa: FBT001
        """Return the name in a column of its own."""
        name = f"{self._name:<9} | "
        return f"\033[{self._colour}m{name}\033[0m" if colour else name


def _request_stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise StopRequested(signum)


def _epitaph(name: str, code: int) -> str:
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    return f"{name} {how}."
