"""A shop whose process dies where an effect is in Kafka and its mark is not yet written."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import django

from tracing.demo.store import Store


class Killed(Store):
    """A store that takes its process down, as `kill -9` does, before inventory's first mark."""

    def mark_handled(self, service: str, event_id: str) -> None:
        """Die, or remember."""
        if service == "inventory":
            os.kill(os.getpid(), signal.SIGKILL)
        super().mark_handled(service, event_id)


def main(path: str, broker: str) -> None:
    """Run the shop; say when it is open."""
    django.setup()
    from eventviz.telemetry import tracer_of
    from tracing.demo.shop import Shop

    with Shop([broker], rate=0, tracer_of=tracer_of, store=Killed(Path(path))) as shop:
        if shop.wait_until_open():
            sys.stdout.write("open\n")
            sys.stdout.flush()
        shop.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
