"""A second process prepares: what is too large for the shared memory, and who may have one."""

from __future__ import annotations

import multiprocessing
import threading

import pytest

from tracing.domain.record import Record
from tracing.ingest import preparing
from tracing.ingest.channel import SLOT_BYTES, Channel, opened
from tracing.ingest.helper import READY
from tracing.ingest.preparing import LARGE, Preparer, handed_over
from tracing.projections.batch import Batch
from tracing.projections.record_rows import Log
from tracing.projections.store import Ready, Slice


def of_size(size: int) -> list[Slice]:
    record = Record(topic="t", partition=0, offset=0, timestamp_ms=0, value=b"x" * size)
    return [Slice(partition_id=1, start=0, end=1, records=[record])]


def test_large_batches_and_large_answers_do_not_wait_for_each_other() -> None:
    ours, theirs = opened(multiprocessing.get_context("spawn"))
    row = (1, 0, None, b"y" * SLOT_BYTES, SLOT_BYTES, None, b"", None)
    large = Ready([Log([row], [])], Batch(b"", [], [], [], [], []))
    small = Ready([], Batch(b"", [], [], [], [], []))
    helper = threading.Thread(target=_answering, args=(theirs, [large, small, large]), daemon=True)
    preparer = Preparer(apart=True)
    preparer._channel = ours
    found: list[Ready | None] = []

    def work() -> None:
        preparer.give(of_size(SLOT_BYTES))
        # The other process has its hands full: this one is for us.
        preparer.give(of_size(SLOT_BYTES))
        found.append(preparer.result(of_size(1)))
        assert preparer.answered()
        found.append(preparer.result(of_size(SLOT_BYTES)))
        found.append(preparer.result())
        found.append(preparer.result())
        preparer.give(of_size(SLOT_BYTES))
        found.append(preparer.result())

    helper.start()
    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(30)

    assert found == [large, None, small, None, large]
    preparer.close()


def _answering(channel: Channel, answers: list[Ready]) -> None:
    for answer in answers:
        channel.receive()
        channel.send(handed_over(answer))


def test_where_others_need_the_cores_nothing_is_prepared_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preparing, "_cores", lambda: 4)
    ours, theirs = opened(multiprocessing.get_context("spawn"))
    preparer = Preparer(apart=True)
    preparer._channel = ours
    theirs.send(READY)
    record = Record(topic="t", partition=0, offset=0, timestamp_ms=0)
    large = [Slice(partition_id=1, start=0, end=LARGE, records=[record] * LARGE)]

    preparer.share_with(2)
    assert preparer.takes(large)
    preparer.share_with(3)

    assert not preparer.takes(large)
    with pytest.raises(EOFError):
        theirs.receive()
