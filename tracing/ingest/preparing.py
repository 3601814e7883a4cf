"""Prepare a large batch in a process of its own, while this one stores the batch before.

Only speed depends on it: whatever goes wrong there, the batch is prepared here.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections import deque
from typing import TYPE_CHECKING

import msgspec
from django.db import DatabaseError, InterfaceError, close_old_connections

from tracing.ingest import channel, helper
from tracing.projections.catalogue import Catalogue
from tracing.projections.store import Ready, Slice, ready_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.process import BaseProcess

log = logging.getLogger(__name__)

# A batch of fewer records is stored at once: it is prepared sooner than it has gone there and back.
LARGE = 1_000
# So many batches are in its hands at a time: neither process waits for the other because one batch
# took longer here than there.
DEPTH = channel.SLOTS
# Far longer than a batch takes, shorter than the group waits for its member.
PATIENCE_S = 10.0
CLOSE_S = 2.0

handed_over = msgspec.msgpack.Encoder().encode
_slices = msgspec.msgpack.Decoder(list[Slice]).decode
taken_back = msgspec.msgpack.Decoder(Ready).decode


class Preparer:
    """Holds `DEPTH` batches at most. Its process starts with the first large batch."""

    def __init__(self, *, apart: bool) -> None:
        """Without `apart`, every batch is prepared here."""
        self._apart = self._allowed = apart
        self._process: BaseProcess | None = None
        self._channel: channel.Channel | None = None
        self._ready = False
        # Of the batches that were given, whether they are in its hands.
        self._handed: deque[bool] = deque()

    def share_with(self, sharers: int) -> None:
        """Leave the cores to others that do the same work; nothing is in its hands."""
        self._allowed = 2 * sharers <= _cores()
        if not self._allowed:
            self.close()

    def takes(self, slices: Sequence[Slice]) -> bool:
        """Tell whether a batch is large enough, and the process there."""
        if not (self._apart and self._allowed) or sum(map(len, slices)) < LARGE:
            return False
        if self._channel is None:
            self._start()
        return self._is_ready()

    def give(self, slices: Sequence[Slice]) -> None:
        """Hand over a batch."""
        self._hand(handed_over(slices))

    def answered(self) -> bool:
        """Tell whether `result` will not wait."""
        try:
            return self._channel is None or not self._handed[0] or self._channel.poll()
        except OSError as error:
            self._give_up(error)
            return True

    def result(self, following: Sequence[Slice] = ()) -> Ready | None:
        """Wait for what is prepared of the first batch, and hand over one that follows, if any.

        None when it must be done here.
        """
        # All that this process does between an answer and the next batch, the other one waits for.
        batch = handed_over(following) if following else b""
        answer = self._answer() if self._handed.popleft() else helper.FAILED
        if batch:
            self._hand(batch)
        return None if answer == helper.FAILED else taken_back(answer)

    def _answer(self) -> bytes:
        try:
            if self._channel is None:
                return helper.FAILED
            if not self._channel.poll(PATIENCE_S):
                raise TimeoutError("no answer")
            return self._channel.receive()
        except (EOFError, OSError) as error:
            self._give_up(error)
            return helper.FAILED

    def _hand(self, batch: bytes) -> None:
        # Through the pipe only to a process that waits for it: if both sent, neither would read.
        handed = len(batch) <= channel.SLOT_BYTES or not any(self._handed)
        self._handed.append(handed)
        if handed:
            self._send(batch)

    def _send(self, batch: bytes) -> None:
        try:
            if self._channel is not None:
                self._channel.send(batch)
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """End the process."""
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.join(CLOSE_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self._process.close()
        self._channel = self._process = None
        self._ready = False

    def _start(self) -> None:
        # Spawned: the Kafka client's threads are here, and a fork would copy their locks.
        context = multiprocessing.get_context("spawn")
        self._channel, theirs = channel.opened(context)
        self._process = context.Process(
            target=helper.serve, args=(theirs,), name="prepare", daemon=True
        )
        self._process.start()
        theirs.close()

    def _is_ready(self) -> bool:
        try:
            if not self._ready and self._channel is not None and self._channel.poll():
                self._ready = self._channel.receive() == helper.READY
                log.info("Another process prepares large batches now.")
        except (EOFError, OSError) as error:
            self._give_up(error)
        return self._ready

    def _give_up(self, error: Exception) -> None:
        log.warning("The process that prepares batches is gone (%s): going on without it.", error)
        self._apart = False
        self.close()


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def answerer() -> Callable[[bytes], bytes]:
    """Return what the process does with a batch."""
    catalogue = Catalogue()

    def answer(batch: bytes) -> bytes:
        try:
            return handed_over(ready_of(_slices(batch), catalogue))
        except (DatabaseError, InterfaceError) as error:
            log.warning("The database: %s", error)
            close_old_connections()
            return helper.FAILED

    return answer
