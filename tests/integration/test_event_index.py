"""Events are found by their ids, wherever the index keeps them at the moment."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.integration.log import record, write
from tracing.domain.text import hash64
from tracing.models import Event, EventHash, EventRun
from tracing.projections import event_index
from tracing.projections.event_index import positions_of
from tracing.projections.event_reading import find_events

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

on_sqlite = pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="Postgres has an index of its own."
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_index, "LARGE", 3)
    monkeypatch.setattr(event_index, "MOVED_AT", 6)


def batch(first: int, count: int) -> None:
    write(*(record(f"e-{number}", flow="o-1") for number in range(first, first + count)))


def found(*numbers: int) -> set[str]:
    places = positions_of([hash64(f"e-{number}") for number in numbers])
    return set(Event.objects.filter(position__in=places).values_list("event_id", flat=True))


def test_events_of_small_and_large_batches_are_found() -> None:
    batch(0, 1)
    batch(1, 3)
    batch(4, 4)
    batch(8, 2)

    assert found(*range(12)) == {f"e-{number}" for number in range(10)}
    assert [one.event.event_id for one in find_events("e-5")] == ["e-5"]


@on_sqlite
def test_runs_are_moved_when_they_hold_much() -> None:
    batch(0, 4)
    batch(4, 4)
    assert EventRun.objects.count() == 8

    batch(8, 4)

    assert (EventHash.objects.count(), EventRun.objects.count()) == (8, 4)
    assert found(*range(12)) == {f"e-{number}" for number in range(12)}


@on_sqlite
def test_a_look_up_scans_no_table() -> None:
    batch(0, 4)
    batch(4, 1)
    hashes = [hash64("e-1"), hash64("e-2")]
    statement = event_index._FIND.format("event_hash IN (%s, %s)", 10)

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", [*hashes, *hashes])
        plan = [row[3] for row in cursor.fetchall()]

    tables = [step for step in plan if "tracing_" in step or "next" in step]
    assert tables
    assert all(step.startswith("SEARCH") for step in tables), plan


@on_sqlite
def test_the_events_table_has_no_index_in_random_order() -> None:
    with connection.cursor() as cursor:
        held = connection.introspection.get_constraints(cursor, "tracing_event")

    assert not any("event_hash" in one["columns"] for one in held.values())


def test_a_look_up_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_index, "MOST", 2)
    write(*(record("same", flow=f"o-{number}") for number in range(5)))

    assert len(positions_of([hash64("same")])) == 2
