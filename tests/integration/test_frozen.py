"""A writer that stands still within its transaction is found and ended; one that works is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from django.db import OperationalError, connection

from tests.servers.processes import wait_for
from tracing.ingest import frozen
from tracing.projections.store import take_positions

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("live_log"),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer"),
]


@pytest.fixture
def other(live_log: None) -> Iterator[psycopg.Connection]:
    """Yield another writer, which has taken the log's head."""
    wanted = connection.settings_dict
    with psycopg.connect(
        host=wanted["HOST"], port=wanted["PORT"], user=wanted["USER"], dbname=wanted["NAME"]
    ) as found:
        # A batch of statements: Postgres' own limit of idle transactions does not see this one.
        with found.cursor() as cursor:
            cursor.executemany("UPDATE tracing_loghead SET position = position + %s", [(1,), (1,)])
        yield found
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")


def test_who_waits_too_long_is_told_why(
    other: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen, "LOCK_WAIT_S", 0.1)
    frozen.limit_waits()

    with pytest.raises(OperationalError) as found:
        take_positions(1)

    assert frozen.was_held_up(found.value)


def test_a_writer_that_says_nothing_is_ended_and_its_work_undone(
    other: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert frozen.end_frozen() == 0
    monkeypatch.setattr(frozen, "SILENCE_S", 0)

    wait_for(lambda: frozen.end_frozen() == 1, "the end of the other")

    assert take_positions(1) == 1
    with pytest.raises(psycopg.OperationalError):
        other.execute("SELECT 1")


def test_a_writer_that_works_is_left_alone(
    other: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen, "SILENCE_S", 0)

    def work() -> None:
        with suppress(psycopg.errors.QueryCanceled):
            other.execute("SELECT pg_sleep(600)")

    working = threading.Thread(target=work)
    working.start()
    question = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

    with connection.cursor() as cursor:

        def sleeps() -> bool:
            cursor.execute(question)
            return bool(cursor.fetchone()[0])

        wait_for(sleeps, "the other's work")

    ended = frozen.end_frozen()
    other.cancel()
    working.join()
    assert ended == 0
