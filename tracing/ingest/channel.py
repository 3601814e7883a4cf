"""A conversation between two processes: what is large goes through memory that both have.

Through a socket a large batch and its answer are copied in some fifty pieces, for each
of which both processes take turns: 13 ms of the 300 that a batch costs.
"""

from __future__ import annotations

import ctypes
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnContext

# So many messages may be under way in one direction: each has a part of the memory.
SLOTS = 2
# More than a fetch of usual size with its places; a longer message goes through the pipe.
SLOT_BYTES = 7 * 1024 * 1024
# How long a message is, and whether it lies in the shared memory or follows.
_HEADER = struct.Struct("=q?")


class Channel:
    """One end. Who sends has read the answer to the message that was `SLOTS` before.

    Raises EOFError and OSError when the other process is gone.
    """

    def __init__(self, pipe: Connection, mine: Any, theirs: Any) -> None:
        """Take the end of a pipe, and memory to write to and to read from."""
        self._pipe = pipe
        self._mine, self._theirs = mine, theirs
        self._sent = self._received = 0

    def send(self, message: bytes) -> None:
        """Send a message."""
        shared = len(message) <= SLOT_BYTES
        if shared:
            _slot(self._mine, self._sent)[: len(message)] = message
        self._sent += 1
        self._pipe.send_bytes(_HEADER.pack(len(message), shared))
        if not shared:
            self._pipe.send_bytes(message)

    def receive(self) -> bytes:
        """Wait for a message."""
        size, shared = _HEADER.unpack(self._pipe.recv_bytes())
        slot = _slot(self._theirs, self._received)
        self._received += 1
        return bytes(slot[:size]) if shared else self._pipe.recv_bytes()

    def poll(self, timeout_s: float = 0.0) -> bool:
        """Tell whether there is a message, or comes within that time."""
        return self._pipe.poll(timeout_s)

    def close(self) -> None:
        """End the conversation."""
        self._pipe.close()


def opened(context: SpawnContext) -> tuple[Channel, Channel]:
    """Return both ends. One may be handed to a process that is started."""
    ours, theirs = context.Pipe()
    there = context.RawArray(ctypes.c_char, SLOTS * SLOT_BYTES)
    back = context.RawArray(ctypes.c_char, SLOTS * SLOT_BYTES)
    return Channel(ours, there, back), Channel(theirs, back, there)


def _slot(memory: Any, number: int) -> memoryview:
    begin = number % SLOTS * SLOT_BYTES
    return memoryview(memory).cast("B")[begin : begin + SLOT_BYTES]
