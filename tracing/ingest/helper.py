"""The process that prepares large batches for an ingestor.

Imports nothing of Django by itself: a spawned process reads this module before it is set up.
"""

from __future__ import annotations

import signal

from tracing.ingest.channel import Channel

READY = b"ready"
# The answer to a batch that could not be prepared: the ingestor does it, and sees why.
FAILED = b""


def serve(channel: Channel) -> None:
    """Answer batches with what is prepared of them, until the conversation ends.

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
        channel.send(READY)
        while True:
            channel.send(answer(channel.receive()))
    except (EOFError, OSError):
        # The ingestor has gone or wants no more.
        return
