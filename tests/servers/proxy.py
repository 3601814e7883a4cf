"""A bad network: a loopback port that leads to another one, late, slowly, cut or silent."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.servers.processes import PATIENCE_S

_PART = 16_384


@dataclass
class _Way:
    """One direction of a connection: what was read and not yet written, each with its time."""

    source: socket.socket
    target: socket.socket
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)
    # When the next byte may go on: a slow line is a line that is busy for longer.
    free_at: float = 0.0
    ended: bool = False


class Proxy:
    """Forwards every connection to the port `to`; what is said of the network holds at once."""

    def __init__(self) -> None:
        """Listen on a free port; `delay_s` and `bytes_per_s` are those of one direction."""
        self.to = 0
        self.delay_s = 0.0
        self.bytes_per_s = 0.0
        self._silent = False
        self._refusing = False
        self._ways: list[_Way] = []
        self._cut = False
        self._ended = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self.port = int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    def stall(self) -> None:
        """Deliver nothing any more and close nothing, as a network that lost its route."""
        self._silent = True

    def cut(self, refusing: bool = False) -> None:
        """Reset every connection; with `refusing`, new ones are reset too, until `mend`."""
        self._refusing = refusing
        self._cut = True

    def mend(self) -> None:
        """Be a good network again; what a stalled one has kept is delivered, late."""
        self.delay_s = self.bytes_per_s = 0.0
        self._silent = self._refusing = False

    def close(self) -> None:
        """Reset everything and end."""
        self._ended.set()
        self._thread.join(PATIENCE_S)
        self._server.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            if self._cut:
                self._cut = False
                self._reset()
            self._accept()
            self._read()
            self._write()
        self._reset()

    def _accept(self) -> None:
        with suppress(OSError):
            near, _ = self._server.accept()
            if self._refusing:
                _reset(near)
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to), timeout=5)
            except OSError:
                _reset(near)
                return
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ways += [_Way(near, far), _Way(far, near)]

    def _read(self) -> None:
        """Take in what is there, at most for a moment; a full line makes its sender wait."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._server, selectors.EVENT_READ)
            for way in self._ways:
                if not way.ended and len(way.waiting) < 8:
                    selector.register(way.source, selectors.EVENT_READ, way)
            for key, _ in selector.select(0.002 if self._busy() else 0.05):
                if key.data is not None:
                    self._take(key.data)

    def _busy(self) -> bool:
        return any(way.waiting for way in self._ways)

    def _take(self, way: _Way) -> None:
        try:
            part = way.source.recv(_PART)
        except OSError:
            part = b""
        begin = max(time.monotonic() + self.delay_s, way.free_at)
        way.free_at = begin + (len(part) / self.bytes_per_s if self.bytes_per_s else 0.0)
        way.waiting.append((way.free_at, part))
        way.ended = not part

    def _write(self) -> None:
        for way in list(self._ways):
            while way.waiting and way.waiting[0][0] <= time.monotonic() and not self._silent:
                _, part = way.waiting.popleft()
                try:
                    way.target.settimeout(5)
                    if part:
                        way.target.sendall(part)
                    else:
                        way.target.shutdown(socket.SHUT_WR)
                except OSError:
                    self._drop(way)
                    break

    def _drop(self, way: _Way) -> None:
        for one in [
            one for one in self._ways if {one.source, one.target} == {way.source, way.target}
        ]:
            self._ways.remove(one)
        _reset(way.source)
        _reset(way.target)

    def _reset(self) -> None:
        for way in self._ways:
            _reset(way.source)
            _reset(way.target)
        self._ways.clear()


def _reset(one: socket.socket) -> None:
    """Close it with a reset instead of a goodbye."""
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    one.close()


@contextmanager
def proxy(to: int = 0) -> Iterator[Proxy]:
    """Run a proxy to a loopback port, which may be told later, until the `with` ends."""
    found = Proxy()
    found.to = to
    try:
        yield found
    finally:
        found.close()
