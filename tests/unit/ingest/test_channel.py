"""Messages between two processes arrive as they were sent, whatever their size."""

from __future__ import annotations

import multiprocessing
import threading

import pytest

from tracing.ingest.channel import SLOT_BYTES, SLOTS, Channel, opened


@pytest.fixture
def ends() -> tuple[Channel, Channel]:
    return opened(multiprocessing.get_context("spawn"))


def test_as_many_messages_as_there_are_slots_may_be_under_way(
    ends: tuple[Channel, Channel],
) -> None:
    ours, theirs = ends
    assert not theirs.poll()

    for first in range(3):
        sent = [bytes([first, number]) * (number + 1) for number in range(SLOTS)]
        for message in sent:
            ours.send(message)
        assert theirs.poll()
        assert [theirs.receive() for _ in sent] == sent
        assert not theirs.poll()
        theirs.send(b"")
        assert ours.receive() == b""


@pytest.mark.parametrize("size", [SLOT_BYTES - 1, SLOT_BYTES, SLOT_BYTES + 1])
def test_what_is_larger_than_a_slot_arrives_too(ends: tuple[Channel, Channel], size: int) -> None:
    ours, theirs = ends
    message = b"x" * (size - 1) + b"y"
    # A pipe takes so much only while somebody reads.
    sender = threading.Thread(target=ours.send, args=(message,))
    sender.start()

    assert theirs.receive() == message

    sender.join()
    ours.send(b"next")
    assert theirs.receive() == b"next"


def test_an_end_that_is_gone_is_told(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    theirs.close()

    with pytest.raises(OSError, match="Broken pipe"):
        ours.send(b"x")
    with pytest.raises((EOFError, OSError)):
        ours.receive()
