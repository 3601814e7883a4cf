"""Parts of a text on their way through a real socket, past or behind what waits for it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.web.parts import head, left, write


class Transport:
    """A connection as Twisted has it, as far as it is looked at."""

    TLS = False
    connected = True
    disconnecting = False
    SEND_LIMIT = 1

    def __init__(self, handle: socket.socket) -> None:
        self._handle = handle
        self.dataBuffer = b""
        self._tempDataBuffer: list[bytes] = []

    def getHandle(self) -> socket.socket:  # noqa: N802
        return self._handle

    def writeSequence(self, parts: Sequence[bytes]) -> None:  # noqa: N802
        self._tempDataBuffer += parts

    @property
    def waiting(self) -> bytes:
        return self.dataBuffer + b"".join(self._tempDataBuffer)


@pytest.fixture
def pair() -> Iterator[tuple[Transport, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield Transport(ours), theirs


def come(theirs: socket.socket) -> bytes:
    """Return what is there to read."""
    found = b""
    while True:
        try:
            found += theirs.recv(1 << 20)
        except BlockingIOError:
            return found


def test_parts_go_out_at_once_and_in_order(pair: tuple[Transport, socket.socket]) -> None:
    transport, theirs = pair

    write(transport, [b"head ", b"body ", b"end"])

    assert come(theirs) == b"head body end"
    assert not transport.waiting


def test_what_the_kernel_does_not_take_waits_behind_it(
    pair: tuple[Transport, socket.socket],
) -> None:
    transport, theirs = pair
    parts = [b"a" * 5_000_000, b"b" * 5_000_000, b"end"]

    write(transport, parts)
    taken = come(theirs)

    assert 0 < len(taken) < 10_000_003
    assert taken + transport.waiting == b"".join(parts)


@pytest.mark.parametrize("state", ["waits", "waits in the list", "secret", "ending"])
def test_nothing_overtakes_what_waits_or_slips_past_a_cipher(
    pair: tuple[Transport, socket.socket], state: str
) -> None:
    transport, theirs = pair
    if state == "waits":
        transport.dataBuffer = b"first "
    elif state == "waits in the list":
        transport._tempDataBuffer = [b"first "]
    elif state == "secret":
        transport.TLS = True
    else:
        transport.disconnecting = True

    write(transport, [b"second"])

    assert come(theirs) == b""
    assert transport.waiting.endswith(b"second")


def test_a_connection_that_is_gone_is_left_to_twisted(
    pair: tuple[Transport, socket.socket],
) -> None:
    transport, theirs = pair
    theirs.close()

    write(transport, [b"anybody?"])

    assert transport.waiting == b"anybody?"


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
    ],
)
def test_a_text_begins_with_its_length(length: int, expected: str) -> None:
    assert head(length).hex() == expected


@given(st.lists(st.binary(max_size=5), max_size=5), st.integers(0, 25))
def test_what_is_left_follows_what_was_sent(parts: list[bytes], sent: int) -> None:
    assert b"".join(left(parts, sent)) == b"".join(parts)[sent:]
