"""A loopback port that leads to another one, from when it is opened to when it is closed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def forward(port: int, to: int) -> Iterator[None]:
    """Forward every connection, until the `with` ends."""
    server = socket.create_server(("127.0.0.1", port))
    accepting = threading.Thread(target=_accept, args=(server, to), daemon=True)
    accepting.start()
    try:
        yield
    finally:
        # Wakes the thread that waits for a connection.
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        accepting.join(5)


def _accept(server: socket.socket, to: int) -> None:
    pairs: list[threading.Thread] = []
    while True:
        try:
            near, _ = server.accept()
        except OSError:
            break
        pairs.append(threading.Thread(target=_connect, args=(near, to), daemon=True))
        pairs[-1].start()
    for pair in pairs:
        pair.join(5)


def _connect(near: socket.socket, to: int) -> None:
    with near, socket.create_connection(("127.0.0.1", to)) as far:
        back = threading.Thread(target=_copy, args=(far, near), daemon=True)
        back.start()
        _copy(near, far)
        back.join(5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65_536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
