"""End when told to: in good order, or at least soon."""

from __future__ import annotations

import logging
import os
import signal
import threading

log = logging.getLogger(__name__)

# A supervisor that sends SIGTERM usually waits ten seconds before it kills.
WITHIN_S = 8.0


def end_with(stop: threading.Event) -> None:
    """Set `stop` at SIGTERM and Ctrl-C; leave in any case after `WITHIN_S`.

    Whoever waits for a server that says nothing cannot be asked to end. What is not committed by
    then comes again: every step either is done or has not begun. Call in the main thread.
    """

    def end(*_: object) -> None:
        stop.set()
        leaving = threading.Timer(WITHIN_S, _leave)
        leaving.daemon = True
        leaving.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def _leave() -> None:
    log.warning("Something does not answer: leaving in the middle of it. Nothing is lost by that.")
    os._exit(0)
