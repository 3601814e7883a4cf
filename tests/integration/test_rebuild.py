"""A rebuild beside ingestion: what comes meanwhile is in it, what breaks off changes nothing."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from tests.integration import framed as drawing
from tests.integration.log import record, write
from tests.integration.picture import clear, picture
from tests.integration.rebuilding import once, tables_there
from tracing.domain.record import Record
from tracing.models import (
    AwaitingRecord,
    Event,
    Flow,
    LogHead,
    MappingDecision,
    Partition,
    RebuildRun,
    Schema,
)
from tracing.projections import late, tables
from tracing.projections.catalogue import Catalogue
from tracing.projections.rebuild import BROKE_OFF, rebuild
from tracing.projections.settings import forget_rules
from tracing.projections.store import Slice, store

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracing.projections.rebuild.CHUNK", 2)


class Log:
    """Drawn records that are stored bit by bit, and schemas that become known."""

    def __init__(self, drawn: list[tuple[str, Record]]) -> None:
        self.catalogue = Catalogue()
        self.unknown = [1, 2]
        self.waiting: dict[tuple[str, str], list[Record]] = {}
        for topic_uuid, one in drawn:
            self.waiting.setdefault((one.topic, topic_uuid), []).append(one)
        self._rows = {
            place: self.catalogue.partition(topic=place[0], topic_uuid=place[1], number=0)
            for place in sorted(self.waiting)
        }
        Partition.objects.update(next_offset=0)

    def go_on(self, data: st.DataObject) -> None:
        """Store some records, learn a schema, decode late; or none of it."""
        if data.draw(st.booleans()) and self.waiting:
            place = data.draw(st.sampled_from(sorted(self.waiting)))
            taken, rest = self.waiting[place][:3], self.waiting.pop(place)[3:]
            if rest:
                self.waiting[place] = rest
            start, end = taken[0].offset, taken[-1].offset + 1
            part = Slice(partition_id=self._rows[place].id, start=start, end=end, records=taken)
            store([part], self.catalogue)
        if self.unknown and data.draw(st.integers(0, 3)) == 3:
            drawing.learn(self.unknown.pop())
        if data.draw(st.booleans()):
            drawing.step(data, self.catalogue)


@pytest.mark.parametrize("large", [3, 1_000])
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(drawn=drawing.records(), data=st.data())
def test_a_rebuild_while_everything_goes_on_equals_a_quiet_one(
    drawn: list[tuple[str, Record]], data: st.DataObject, large: int, settings: Settings
) -> None:
    settings.EVENTVIZ_SCHEMA_REGISTRY_URL = drawing.REGISTRY
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("tracing.projections.flows.LARGE", large)
        patch.setattr("tracing.projections.known_schemas.REST_S", 0.0)
        for model in (AwaitingRecord, Schema):
            model.objects.all().delete()
        clear()
        forget_rules()
        log = Log(drawn)
        for _ in range(4):
            log.go_on(data)
        positions = dict(Event.objects.values_list("record", "position"))

        rebuild(lambda _done, _total: log.go_on(data))

        after = dict(Event.objects.values_list("record", "position"))
        for number in log.unknown:
            drawing.learn(number)
        while found := late.references(1):
            assert late.decode_late(late.waiting_for(found[0], 100), log.catalogue)
        busy = picture(log.catalogue)
        rebuild()
        assert picture(log.catalogue) == busy
        # What was not decoded late kept its place in the order of arrival.
        assert all(after[one] >= position for one, position in positions.items())


def test_it_reads_what_comes_behind_a_partition_that_it_has_done() -> None:
    write(*[record(f"e{number}", topic="a") for number in range(3)])
    write(record("z", topic="b"))

    done = rebuild(once(lambda: write(record("late", topic="a"), record("new", topic="c"))))

    assert done == 6
    assert Event.objects.count() == 6
    assert Flow.objects.get().events == 6


def test_events_keep_their_positions_and_the_generation_changes() -> None:
    write(record("e1", topic="b"))
    write(record("e2", topic="a"))
    before = list(Event.objects.order_by("position").values_list("event_id", "position"))
    head = LogHead.objects.get()

    rebuild()

    assert list(Event.objects.order_by("position").values_list("event_id", "position")) == before
    after = LogHead.objects.get()
    assert (after.position, after.generation) == (head.position, head.generation + 1)


def test_one_that_breaks_off_changes_nothing_and_the_next_begins_anew() -> None:
    write(*[record(f"e{number}") for number in range(5)])
    standing, there = picture(Catalogue()), tables_there()

    with pytest.raises(KeyboardInterrupt):
        rebuild(once(_interrupt))

    assert picture(Catalogue()) == standing
    assert RebuildRun.objects.get().error == BROKE_OFF
    assert tables_there() == there
    assert rebuild() == 5
    assert picture(Catalogue()) == standing
    assert tables_there() == there


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_rules_that_change_meanwhile_make_it_begin_again() -> None:
    write(*[record(f"e{number}", value=b'{"a": "x%d"}' % number) for number in range(5)])

    def decide() -> None:
        MappingDecision.objects.create(
            topic="orders", fields={"event_id": "$.a"}, made_by="grace", made_at=timezone.now()
        )

    assert rebuild(once(decide)) == 5
    assert sorted(Event.objects.values_list("event_id", flat=True)) == [f"x{n}" for n in range(5)]


def test_each_read_model_has_the_same_indexes_behind_a_rebuild() -> None:
    def indexes() -> dict[str, list[tuple[Any, ...]]]:
        found = {}
        with connection.cursor() as cursor:
            for table in tables.READ_MODELS:
                held = connection.introspection.get_constraints(cursor, f"tracing_{table}")
                found[table] = sorted(
                    (tuple(one["columns"]), one["unique"], one["primary_key"])
                    for one in held.values()
                )
        return found

    before = indexes()

    rebuild()
    rebuild()

    assert indexes() == before


def test_the_command_tells_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    write(*[record(f"e{number}") for number in range(5)])

    call_command("rebuild")

    assert "Rebuilt the read models from 5 records" in capsys.readouterr().out
    run = RebuildRun.objects.get()
    assert (run.done, run.total, run.asked_by) == (5, 5, "manage.py rebuild")
