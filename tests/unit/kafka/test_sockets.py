"""No socket is left behind where no connection came about."""

from __future__ import annotations

import errno
import socket
from collections.abc import Generator, Iterator
from types import coroutine
from typing import Any

import pytest
from kafka.errors import KafkaConnectionError, KafkaTimeoutError
from kafka.net.inet import KafkaNetSocket

from tracing.kafka import sockets

PLACE = ("127.0.0.1", 9)


class Answering(KafkaNetSocket):  # type: ignore[misc]
    """Connects as the test says."""

    SCHEMES = ("answering",)

    def __init__(self, answer: int) -> None:
        self._answer = answer

    def __new__(cls, _answer: int) -> Answering:
        return object.__new__(cls)

    def connect_ex(self, _sock: socket.socket, _place: Any) -> int:
        return self._answer


class Net:
    """An event loop in which nothing ever becomes writable."""

    @coroutine
    def wait_write(self, _sock: socket.socket, timeout_at: float | None = None) -> Generator[None]:
        yield


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    sockets.install()
    with socket.socket() as made:
        yield made


def attempt(sock: socket.socket, answer: int, *, timeout_at: float | None = None) -> Any:
    return Answering(answer).sock_connect(Net(), sock, PLACE, timeout_at=timeout_at)


def test_where_nobody_listens(sock: socket.socket) -> None:
    with pytest.raises(KafkaConnectionError, match="ECONNREFUSED"):
        attempt(sock, errno.ECONNREFUSED).send(None)

    assert sock.fileno() == -1


def test_when_the_time_is_over(sock: socket.socket) -> None:
    with pytest.raises(KafkaTimeoutError):
        attempt(sock, errno.EINPROGRESS, timeout_at=0).send(None)

    assert sock.fileno() == -1


def test_when_the_client_is_closed_meanwhile(sock: socket.socket) -> None:
    waiting = attempt(sock, errno.EINPROGRESS)
    waiting.send(None)

    waiting.close()

    assert sock.fileno() == -1


def test_a_connection_stays_open(sock: socket.socket) -> None:
    with pytest.raises(StopIteration) as done:
        attempt(sock, 0).send(None)

    assert done.value.value is sock
    assert sock.fileno() != -1
