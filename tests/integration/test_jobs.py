"""Time-driven steps: one process at a time does one, and a worker ends when told to."""

from __future__ import annotations

import datetime as dt
import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.db import DatabaseError
from django.utils import timezone

from tests.servers.processes import MANAGE, Process
from tracing.jobs.lease import give_back, take
from tracing.jobs.step import Step
from tracing.jobs.worker import Worker
from tracing.models import Lease

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


class Counting(Step):
    """A step that counts its runs; `does` decides what each of them does."""

    name = "counting"
    every_s = 0.01

    def __init__(self, does: Callable[[int], bool] = lambda _runs: False) -> None:
        self.runs = 0
        self.closed = False
        self._does = does

    def run(self) -> bool:
        self.runs += 1
        return self._does(self.runs)

    def close(self) -> None:
        self.closed = True


def worker(*steps: Step, stop: threading.Event | None = None) -> Worker:
    return Worker(steps, name="here", stop=stop or threading.Event())


def test_one_of_two_workers_gets_the_lease() -> None:
    step = Counting()

    taken = [take(step, holder, NOW) for holder in ("a", "b")]

    assert taken == [True, False]


def test_a_lease_that_was_given_back_is_free_when_the_step_is_due() -> None:
    step = Counting()
    take(step, "a", NOW)

    give_back(step, "a", NOW, rest_s=5)

    assert not take(step, "b", NOW + 4 * SECOND)
    assert take(step, "b", NOW + 5 * SECOND)


def test_the_lease_of_a_process_that_died_ends_by_itself() -> None:
    step = Counting()
    take(step, "a", NOW)

    assert not take(step, "b", NOW + 59 * SECOND)
    assert take(step, "b", NOW + 61 * SECOND)


def test_what_another_one_took_meanwhile_is_not_given_back() -> None:
    step = Counting()
    take(step, "a", NOW)
    take(step, "b", NOW + 61 * SECOND)

    give_back(step, "a", NOW + 62 * SECOND, rest_s=0)

    assert Lease.objects.get().holder == "b"
    assert not take(step, "c", NOW + 63 * SECOND)


def test_a_step_that_says_there_is_more_is_done_again_at_once() -> None:
    step = Counting(lambda runs: runs < 3)
    one = worker(step)

    assert [one.round() for _ in range(3)] == [True, True, False]
    assert step.runs == 3


def test_a_step_that_fails_rests_and_leaves_the_others_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_runs: int) -> bool:
        raise ValueError("no such thing")

    broken, whole = Counting(fail), Counting(lambda _runs: True)
    broken.name = "broken"
    one = worker(broken, whole)

    assert one.round()
    assert one.round()

    lease = Lease.objects.get(step="broken")
    assert (broken.runs, whole.runs) == (1, 2)
    assert lease.error == "ValueError: no such thing"
    assert lease.due_at > timezone.now()
    assert "The step broken failed" in caplog.text


def test_a_worker_goes_on_after_the_database_was_away(
    live_log: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tracing.jobs.worker.FIRST_WAIT_S", 0.01)
    stop = threading.Event()

    def away_at_first(runs: int) -> bool:
        if runs < 3:
            raise DatabaseError("the connection is lost")
        stop.set()
        return False

    step = Counting(away_at_first)
    worker(step, stop=stop).run()

    assert step.runs == 3
    assert step.closed
    assert caplog.text.count("The database: the connection is lost") == 2


def test_a_step_that_is_not_wanted_takes_no_lease() -> None:
    class Unwanted(Counting):
        def wanted(self) -> bool:
            return False

    step = Unwanted()

    assert not worker(step).round()
    assert not Lease.objects.exists()


def leases(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM tracing_lease").fetchone()[0])


@pytest.mark.slow
def test_the_command_ends_on_sigterm_within_seconds(tmp_path: Path) -> None:
    env = {"EVENTVIZ_DATABASE_URL": f"sqlite:///{tmp_path / 'work.sqlite3'}"}
    with Process("migrate", [*MANAGE, "migrate", "-v", "0"], tmp_path / "log", env=env) as migrate:
        assert migrate.wait() == 0
    with Process("work", [*MANAGE, "work"], tmp_path / "log", env=env) as work:
        # Its first step has a lease: it is at work.
        work.wait_until(lambda: leases(tmp_path / "work.sqlite3"), "begin")

        work.send(signal.SIGTERM)

        # A step is never broken off: the one that looks at the cluster takes seconds without one.
        assert work.wait(10) == 0
