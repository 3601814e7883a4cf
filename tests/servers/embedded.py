"""The embedded broker as a fixture: ready in milliseconds, empty, forgotten at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import Process, can_connect, free_port
from tracing.kafka.embedded import broker_command


@contextmanager
def embedded_broker(folder: Path, *, port: int = 0) -> Iterator[str]:
    """Run it with its log in `folder`; yield its `host:port`."""
    port = port or free_port()
    with Process("embedded broker", broker_command(port), folder / "embedded-broker.log") as broker:
        broker.wait_until(lambda: can_connect(port), "listen")
        yield f"127.0.0.1:{port}"
