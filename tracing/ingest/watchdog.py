"""Ends an ingestor that hangs: better a new process than one that seems to work."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

LIMIT_S = 60.0
EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: a supervisor may start it again.


class Watchdog:
    """Bites when nobody called `alive` for `limit_s`: the client can spin inside one poll."""

    def __init__(self, *, limit_s: float = LIMIT_S, bite: Callable[[int], None] = os._exit) -> None:
        """Begin to wait; `bite` is called once, with the exit code, from a thread of its own."""
        self._limit_s = limit_s
        self._bite = bite
        self._seen = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def alive(self) -> None:
        """Say that something moved, or that there is nothing to move."""
        self._seen = time.monotonic()

    def stop(self) -> None:
        """Go to sleep for good."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(self._limit_s / 10):
            if time.monotonic() - self._seen > self._limit_s:
                log.critical(
                    "There is lag and nothing has moved for %.0f s: ending this ingestor.",
                    self._limit_s,
                )
                self._bite(EXIT_CODE)
                return
