"""A hundred open sockets, read by one loop that costs little: in life readers are other machines.

A frame is taken from the kernel straight into its place, and looked at once, when it is whole.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.websocket import CLOSE, PING, PONG, TEXT, ClosedError, frame, handshake

_ID = re.compile(rb"run-(\d{13})-")
_FRAME = re.compile(rb'id="live-position"[^>]* data-frame="(\d+)"')
_EVENT = b'"event_id":"run-'
_NUMBER = re.compile(rb'"event_id":"run-\d{13}-(\d+)"')
# So many bytes of length follow where the second byte says this.
_MORE = {126: 2, 127: 8}
PATIENCE_S = 60


@dataclass
class Reader:
    """An open socket: what it got, and how late. `whole` looks at every event, not only counts.

    Of a page's frame the oldest event counts, which is the worst; of lists and flows the newest,
    because what else they show is older than the frame by right. Of a script's frame the oldest
    is the first.
    """

    kind: str
    path: str
    whole: bool = False
    latencies: list[float] = field(default_factory=list)
    frames: int = 0
    size: int = 0
    events: int = 0
    numbers: list[int] = field(default_factory=list)
    socket: socket.socket = field(init=False, repr=False)
    _buffer: bytearray = field(default_factory=lambda: bytearray(1 << 20), repr=False)
    _head: bytes = b""
    _wanted: int = 0
    _got: int = 0

    def open(self, port: int) -> None:
        """Shake hands. Raises ClosedError when refused."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.sendall(handshake(port, self.path))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            # One by one: what follows belongs to the first frame.
            answer += self.socket.recv(1)
        if b" 101 " not in answer.split(b"\r\n", 1)[0]:
            raise ClosedError(answer.decode())
        self.socket.setblocking(False)

    def read(self) -> None:
        """Take what has come, until nothing is left or a frame is whole. Raises ClosedError."""
        try:
            if not self._wanted and not self._read_head():
                return
            view = memoryview(self._buffer)
            while self._got < self._wanted:
                self._got += self._some(self.socket.recv_into(view[self._got : self._wanted]))
        except BlockingIOError:
            return
        self._take(self._head[0], self._wanted, time.time() * 1000)
        self._head, self._wanted, self._got = b"", 0, 0

    def _read_head(self) -> bool:
        """Read a frame's head; True when something follows it."""
        while len(self._head) < (
            need := 2 + (_MORE.get(self._head[1], 0) if self._head[1:] else 0)
        ):
            more = self.socket.recv(need - len(self._head))
            self._some(len(more))
            self._head += more
        length = int.from_bytes(self._head[2:], "big") if need > 2 else self._head[1]
        if length > len(self._buffer):
            self._buffer = bytearray(2 * length)
        self._wanted = length
        if not length:
            self._head = b""
        return bool(length)

    @staticmethod
    def _some(count: int) -> int:
        if not count:
            raise ClosedError("without a word")
        return count

    def _take(self, first: int, length: int, now_ms: float) -> None:
        code = first & 0x0F
        if code == CLOSE:
            raise ClosedError(str(int.from_bytes(self._buffer[:2], "big")))
        if code == PING:
            self.socket.send(frame(PONG, bytes(self._buffer[:length])))
            return
        # The server writes each frame of ours as one; anything else would be read wrongly.
        assert first == 0x80 | TEXT, first
        self.frames += 1
        self.size += length
        if self.kind == "script":
            self._lines(length)
            # Thousands of lines, oldest first.
            sent = _ID.search(self._buffer, 0, min(length, 2_000))
            sent_ms = int(sent[1]) if sent else 0
        else:
            self._acknowledge(length)
            ids = _ID.findall(self._buffer, 0, length)
            best = max if self.kind in {"flows", "flow"} else min
            sent_ms = int(best(ids, default=b"0"))
        if sent_ms:
            self.latencies.append(now_ms - sent_ms)

    def _lines(self, length: int) -> None:
        if self.whole:
            self.numbers += map(int, _NUMBER.findall(self._buffer, 0, length))
        self.events += self._buffer.count(_EVENT, 0, length)

    def _acknowledge(self, length: int) -> None:
        """Answer as live.js does. The number is at the frame's end."""
        found = _FRAME.search(self._buffer, max(0, length - 500), length)
        assert found, self._buffer[max(0, length - 500) : length]
        self.socket.send(frame(TEXT, b'{"ack":' + found[1] + b"}"))


def follow(
    readers: Sequence[Reader], going_on: Callable[[], bool], *, every_s: float = 0.05
) -> None:
    """Read all of them for as long as `going_on` says so, asked some twenty times a second."""
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            selector.register(reader.socket, selectors.EVENT_READ, reader)
        asked = time.monotonic()
        while True:
            for key, _ in selector.select(every_s):
                key.data.read()
            if time.monotonic() - asked > every_s:
                if not going_on():
                    return
                asked = time.monotonic()
