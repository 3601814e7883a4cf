"""The process that prepares large batches for an ingestor.

Imports nothing of Django by itself: a spawned process reads this module before it is set up.
"""

from __future__ import annotations

import signal
from multiprocessing.connection import Connection

READY = b"ready"
# The answer to a batch that could not be prepared: the ingestor does it, and sees why.
FAILED = b""


def serve(pipe: Connection) -> None:
    """Answer batches of (partition id, record) with what is prepared of them, until the pipe ends.

    The ingestor decides when to stop, so Ctrl-C is not for us.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    import django

    django.setup()

    from tracing.ingest.memory import collect_seldom, keep_buffers
    from tracing.ingest.preparing import answerer

    keep_buffers()
    answer = answerer()
    collect_seldom()
    try:
        pipe.send_bytes(READY)
        while True:
            pipe.send_bytes(answer(pipe.recv_bytes()))
    except (EOFError, OSError):
        # The ingestor has gone or wants no more.
        return
