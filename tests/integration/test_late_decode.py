"""What was decoded late stands as if its schema had always been known."""

from __future__ import annotations

import contextlib

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from tests.integration.framed import REGISTRY, envelope, framed, learn, record, records, step, write
from tests.integration.log import stored
from tests.integration.people import somebody
from tests.integration.picture import clear, picture
from tracing.domain.record import Record
from tracing.models import AwaitingRecord, Event, Flow, LogHead, Partition, Schema, SearchKey
from tracing.projections import late
from tracing.projections.catalogue import Catalogue
from tracing.projections.reading import decode_stored
from tracing.projections.rebuild import rebuild
from tracing.projections.settings import forget_rules
from tracing.projections.store import Slice, store

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def registry(settings: Settings) -> None:
    settings.EVENTVIZ_SCHEMA_REGISTRY_URL = REGISTRY


def replay(data: st.DataObject, drawn: list[tuple[str, Record]], catalogue: Catalogue) -> None:
    """Store the records, partition by partition in order; schemas come in between, or behind."""
    waiting: dict[tuple[str, str], list[Record]] = {}
    for topic_uuid, one in drawn:
        waiting.setdefault((one.topic, topic_uuid), []).append(one)
    rows = {
        place: catalogue.partition(topic=place[0], topic_uuid=place[1], number=0)
        for place in sorted(waiting)
    }
    Partition.objects.update(next_offset=0)
    unknown = [1, 2]
    while waiting:
        place = data.draw(st.sampled_from(sorted(waiting)))
        taken, rest = waiting[place][:2], waiting[place][2:]
        start = taken[0].offset
        store(
            [
                Slice(
                    partition_id=rows[place].id,
                    start=start,
                    end=start + len(taken),
                    records=taken,
                )
            ],
            catalogue,
        )
        if rest:
            waiting[place] = rest
        else:
            del waiting[place]
        if unknown and data.draw(st.integers(0, 3)) == 3:
            learn(unknown.pop())
        if data.draw(st.booleans()):
            step(data, catalogue)
    for number in unknown:
        learn(number)
    while found := late.references(10):
        assert late.decode_late(late.waiting_for(found[0], 3), catalogue)


@pytest.mark.parametrize("large", [3, 1_000])
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(drawn=records(), data=st.data())
def test_late_or_at_once_in_any_order_equals_a_rebuild(
    drawn: list[tuple[str, Record]], data: st.DataObject, large: int
) -> None:
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("tracing.projections.flows.LARGE", large)
        patch.setattr("tracing.projections.known_schemas.REST_S", 0.0)
        for model in (AwaitingRecord, Schema):
            model.objects.all().delete()
        clear()
        forget_rules()
        catalogue = Catalogue()

        replay(data, drawn, catalogue)

        found = picture(catalogue)
        assert len(stored()) == len(drawn)
        rebuild()
        assert picture(catalogue) == found
        assert not AwaitingRecord.objects.exists()


def test_a_record_without_its_schema_says_so_and_is_found_by_its_key() -> None:
    catalogue = Catalogue()

    write(catalogue, record(framed(42, envelope())))

    event = Event.objects.get()
    assert event.error == (
        "Schema 42 is not known yet; it is decoded as soon as the registry answers."
    )
    assert late.references(10) == ["id:42"]
    assert SearchKey.objects.count() == 1


def test_a_late_event_takes_a_new_position_and_the_placeholder_goes() -> None:
    catalogue = Catalogue()
    write(catalogue, record(framed(42, envelope())))
    before = LogHead.objects.get().position
    learn(42)

    assert late.decode_late(late.waiting_for("id:42", 10), catalogue) == 1

    event = Event.objects.get()
    assert (event.position, event.event_id, event.error) == (before + 1, "e-1", None)
    assert LogHead.objects.get().position == before + 1
    assert Flow.objects.get().correlation_id == "f-1"
    assert not AwaitingRecord.objects.exists()


def test_what_somebody_else_decoded_meanwhile_is_left_alone() -> None:
    catalogue = Catalogue()
    write(catalogue, record(framed(42, envelope())))
    waiting = late.waiting_for("id:42", 10)
    learn(42)
    late.decode_late(waiting, catalogue)
    head = LogHead.objects.get().position

    assert late.decode_late(waiting, catalogue) == 0

    assert LogHead.objects.get().position == head


def test_a_record_that_is_no_longer_stored_waits_no_longer() -> None:
    AwaitingRecord.objects.create(record=7, reference="id:42")

    assert late.decode_late([7], Catalogue()) == 1

    assert not AwaitingRecord.objects.exists()


def test_a_record_whose_schema_does_not_come_goes_on_waiting() -> None:
    catalogue = Catalogue()
    write(catalogue, record(framed(42, envelope())), record(framed(43, envelope("e-2")), 1))
    learn(43)

    waiting = [*late.waiting_for("id:42", 9), *late.waiting_for("id:43", 9)]
    assert late.decode_late(waiting, catalogue) == 1

    assert late.references(10) == ["id:42"]


def test_the_inspector_shows_the_format_and_the_schemas_id(client: Client) -> None:
    client.force_login(somebody())
    catalogue = Catalogue()
    write(catalogue, record(framed(42, envelope())))

    waiting = client.get("/flows/orders%5B0%5D%400?event=orders%5B0%5D%400").content.decode()
    learn(42)
    late.decode_late(late.waiting_for("id:42", 10), catalogue)
    decoded = client.get("/flows/f-1?event=e-1").content.decode()

    assert "Schema 42 is not known yet" in waiting
    assert "schema id 42" in waiting
    assert "<dt>Format</dt><dd>Avro" in decoded
    assert "ORD-1" in decoded


def test_a_schema_that_came_this_moment_is_no_reason_to_show_no_payload(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalogue = Catalogue()
    write(catalogue, record(framed(1, envelope())))
    # This process has just looked, and rests; another one fetches the schema and decodes.
    monkeypatch.setattr("tracing.projections.known_schemas.REST_S", 3_600.0)
    learn(1)

    found = decode_stored(record(framed(1, envelope())))

    assert found.payloads != (None,)
