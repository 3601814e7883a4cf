"""What the orchestrator knows beyond a crash."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from eventviz.telemetry import tracer_of
from tracing.demo.events import Kind
from tracing.demo.orchestrator.journal import REMEMBERED_S, Journal
from tracing.demo.orchestrator.plan import Saga, State
from tracing.demo.publishing import Context, Message, Publisher

SAGA = Saga(state=State.STOCK_RESERVED, undo=("ReleaseStock", "CancelOrder"), payload={"a": [1]})


def command() -> Message:
    publisher = Publisher(None, source="o", tracer=tracer_of("o"))  # type: ignore[arg-type]
    context = Context("ORD-1", "flow", causation_id="e-1")
    return publisher.compose("ReleaseStock", {}, context, topic="saga.commands", kind=Kind.COMMAND)


def test_a_saga_and_its_message_are_there_after_a_restart(tmp_path: Path) -> None:
    message = command()
    with contextlib.closing(Journal(tmp_path / "sagas")) as journal, journal.transaction():
        journal.keep("flow", SAGA)
        journal.put(message)

    with contextlib.closing(Journal(tmp_path / "sagas")) as again:
        [waiting] = again.outgoing()
        assert again.saga("flow") == SAGA
        assert waiting[1:] == (message.topic, message.key, message.value, message.headers)
        assert again.unfinished() == 1
        again.sent(waiting.number)
        assert again.outgoing() == []


def test_who_dies_in_between_has_said_and_done_nothing(tmp_path: Path) -> None:
    with contextlib.closing(Journal(tmp_path / "sagas")) as journal:
        with contextlib.suppress(RuntimeError), journal.transaction():
            journal.keep("flow", SAGA)
            journal.put(command())
            raise RuntimeError("killed here")

        assert journal.saga("flow") is None
        assert journal.outgoing() == []


def test_a_saga_of_yesterday_is_forgotten(tmp_path: Path) -> None:
    now = [1_000.0]
    with contextlib.closing(Journal(tmp_path / "sagas", now=lambda: now[0])) as journal:
        journal.keep("old", SAGA)
        now[0] += REMEMBERED_S + 1
        with journal.transaction():
            for number in range(500):
                journal.keep(f"new-{number}", SAGA)

        assert journal.saga("old") is None
        assert journal.saga("new-0") == SAGA


def test_a_file_of_two_processes_stays_whole(tmp_path: Path) -> None:
    """A second orchestrator by mistake is refused a transaction, not given half of one."""
    path = tmp_path / "sagas"
    with contextlib.closing(Journal(path)) as one, one.transaction():
        one.keep("flow", SAGA)
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError):
            other.execute("BEGIN IMMEDIATE")
        other.close()
