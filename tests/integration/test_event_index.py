"""Events are found by their ids, wherever the index keeps them at the moment."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.log import record, write
from tracing.domain.text import digest16
from tracing.models import EventIndex
from tracing.projections import event_index, events
from tracing.projections.event_index import KEY_BYTES, positions_of
from tracing.projections.event_reading import find_events

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_index, "JOINED_AT", 6)


def batch(first: int, count: int) -> None:
    write(*(record(f"e-{number}", flow="o-1") for number in range(first, first + count)))


def found(*numbers: int) -> set[str]:
    return {row.event_id for row in events.with_ids([f"e-{number}" for number in numbers])}


def levels() -> dict[int, int]:
    """Return how many events the rows of each level have."""
    held: dict[int, int] = {}
    for level, packed in EventIndex.objects.values_list("level", "packed"):
        held[level] = held.get(level, 0) + len(packed) // 16
    return held


@pytest.mark.usefixtures("_soon")
def test_events_are_found_before_and_after_their_rows_are_joined() -> None:
    batch(0, 2)
    batch(2, 2)
    assert levels() == {0: 4}
    assert found(*range(12)) == {f"e-{number}" for number in range(4)}

    batch(4, 5)
    assert levels() == {1: 9}
    batch(9, 1)

    assert levels() == {0: 1, 1: 9}
    assert found(*range(12)) == {f"e-{number}" for number in range(10)}
    assert [one.event.event_id for one in find_events("e-5")] == ["e-5"]


# Few buckets, and keys that differ in one byte, or repeat, or contain each other's bytes.
keys = st.lists(st.sampled_from([0, 1, 255]), min_size=KEY_BYTES, max_size=KEY_BYTES).map(bytes)


@settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    batches=st.lists(st.lists(keys, min_size=1, max_size=20), max_size=5),
    joined=st.sets(st.integers(0, 4)),
    gone=st.sets(st.integers(1, 60)),
)
def test_it_says_what_a_dictionary_says(
    batches: list[list[bytes]], joined: set[int], gone: set[int]
) -> None:
    EventIndex.objects.all().delete()
    held: dict[int, bytes] = {}
    for number, some in enumerate(batches):
        positions = range(len(held) + 1, len(held) + len(some) + 1)
        event_index.add(b"".join(some), positions)
        held |= dict(zip(positions, some, strict=True))
        if number in joined:
            event_index.join()

    for removed in (set(), gone):
        event_index.remove((held[position], position) for position in removed & held.keys())
        held = {position: key for position, key in held.items() if position not in removed}
        for key in {*held.values(), b"\0" * 8, b"absent!!"}:
            there = sorted(place for place, other in held.items() if other == key)
            assert sorted(positions_of([key])) == there
        assert sorted(positions_of(set(held.values()))) == sorted(held)
    assert sum(levels().values()) == len(held)


def test_a_look_up_scans_no_table() -> None:
    # So many rows that Postgres would not rather read all of a level.
    for first in (1, 5_001):
        keys = b"".join(digest16(str(number))[:KEY_BYTES] for number in range(5_000))
        event_index.add(keys, range(first, first + 5_000))
        if first == 1:
            event_index.join()

    with CaptureQueriesContext(connection) as queries:
        positions_of([digest16("e-1"), digest16("e-2")])
    (statement,) = [query["sql"] for query in queries]

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE tracing_eventindex")
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {statement}")
            said = str(cursor.fetchall())
            assert said.count("Index Cond: ((level = ") == 2, said
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
            plan = [row[3].split(" (")[0] for row in cursor.fetchall()]
            assert plan.count("SEARCH tracing_eventindex USING PRIMARY KEY") == 2, plan
            assert not [step for step in plan if step.startswith("SCAN")], plan


def test_a_look_up_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_index, "MOST", 2)
    write(*(record("same", flow=f"o-{number}") for number in range(5)))

    assert len(positions_of([digest16("same")])) == 2


def test_an_id_without_end_does_not_hide_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_index, "_LARGE_BYTES", 160)
    monkeypatch.setattr(event_index, "_MOST_OF_A_ROW", 3)
    same, other = b"same key", b"samf key"
    event_index.add(same * 20 + other + same * 20, range(1, 42))

    event_index.join()

    assert positions_of([same]) == [1, 2, 3]
    assert positions_of([other]) == [21]
    assert levels() == {1: 4}
