"""A rebuild is alone: others of its kind, the worker and pruning give way to it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.integration.log import record, write
from tests.integration.picture import picture
from tests.integration.rebuilding import once
from tracing.jobs.rebuilding import Rebuild
from tracing.models import Flow, RebuildRun
from tracing.projections import tables
from tracing.projections.catalogue import Catalogue
from tracing.projections.prune import Pruned, Pruner
from tracing.projections.rebuild import (
    BROKE_OFF,
    RebuildBrokenOffError,
    RebuildRunningError,
    rebuild,
)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracing.projections.rebuild.CHUNK", 2)


def test_tables_of_one_that_was_killed_are_made_anew() -> None:
    write(*[record(f"e{number}") for number in range(5)])
    standing = picture(Catalogue())
    tables.make_next()
    with tables.next_ones():
        Flow.objects.update(state=3)
    long_ago = timezone.now() - dt.timedelta(minutes=5)
    dead = RebuildRun.objects.create(asked_at=long_ago, started_at=long_ago, beat_at=long_ago)

    rebuild()

    assert picture(Catalogue()) == standing
    dead.refresh_from_db()
    assert dead.error == BROKE_OFF


def test_a_second_rebuild_is_refused_while_one_runs() -> None:
    write(*[record(f"e{number}") for number in range(5)])

    def second() -> None:
        with pytest.raises(RebuildRunningError):
            rebuild()
        with pytest.raises(CommandError, match="A rebuild is running"):
            call_command("rebuild")

    assert rebuild(once(second)) == 5
    assert RebuildRun.objects.get().error == ""


def test_one_that_was_given_up_stops_and_leaves_the_other_alone() -> None:
    write(*[record(f"e{number}") for number in range(5)])
    standing = picture(Catalogue())

    def given_up() -> None:
        RebuildRun.objects.update(beat_at=timezone.now() - dt.timedelta(minutes=5))
        assert rebuild() == 5

    with pytest.raises(RebuildBrokenOffError):
        rebuild(once(given_up))

    assert picture(Catalogue()) == standing
    assert RebuildRun.objects.filter(error="").count() == 1


def test_the_worker_leaves_a_rebuild_alone_that_somebody_is_at() -> None:
    write(*[record(f"e{number}") for number in range(5)])
    asked = timezone.now() - dt.timedelta(minutes=5)
    run = RebuildRun.objects.create(asked_at=asked)
    assert Rebuild().wanted()

    seen: list[bool] = []
    rebuild(once(lambda: seen.append(Rebuild().wanted())), run)

    assert seen == [False]
    assert not Rebuild().wanted()


def test_nothing_is_pruned_while_it_runs() -> None:
    write(*[record(f"e{number}", flow=f"f{number}", at_ms=1_000) for number in range(5)])
    standing = picture(Catalogue())

    def prune() -> None:
        with pytest.raises(RebuildRunningError):
            Pruner(10**13, now_ms=10**13).step()

    rebuild(once(prune))

    assert picture(Catalogue()) == standing


def test_a_pruner_begins_anew_when_the_flows_have_new_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(*[record(f"e{number}", flow=f"f{number}", at_ms=1_000) for number in range(5)])
    pruner = Pruner(10**13, now_ms=10**13)
    oldest = pruner._oldest

    def rebuilt(limit: int) -> Any:
        found = oldest(limit)
        rebuild()
        monkeypatch.setattr(pruner, "_oldest", oldest)
        return found

    monkeypatch.setattr(pruner, "_oldest", rebuilt)

    assert pruner.step() == Pruned(0, 0, more=True)
    while pruner.step().more:
        pass
    assert Flow.objects.count() == 1
