"""The steps of the registry: fetch what records wait for, decode them, and wait with patience."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.integration.framed import ENVELOPE, REGISTRY, envelope, framed, record, write
from tracing.codec.formats.schema import Schema as KnownSchema
from tracing.codec.formats.schema import SchemaRef
from tracing.jobs.schemas import DecodeLate, FetchSchemas
from tracing.models import AwaitingRecord, Event, Schema, Subject, SubjectVersion
from tracing.projections.catalogue import Catalogue
from tracing.schemas.errors import RegistryUnavailableError, SchemaUnknownError
from tracing.schemas.fetching import Fetcher
from tracing.schemas.http import Login

pytestmark = pytest.mark.django_db


class Shelf(Fetcher):
    """A registry without a network: away, or with these schemas."""

    def __init__(self, *numbers: int) -> None:
        super().__init__(Login(url=REGISTRY))
        self.numbers = numbers
        self.away = False
        self.asked: list[str] = []

    def fetch(self, ref: SchemaRef) -> KnownSchema:
        self.asked.append(ref.value)
        if self.away:
            raise RegistryUnavailableError(REGISTRY)
        if int(ref.value) not in self.numbers:
            raise SchemaUnknownError(REGISTRY)
        return KnownSchema("AVRO", json.dumps(ENVELOPE))


@pytest.fixture(autouse=True)
def registry(settings: Settings) -> None:
    settings.EVENTVIZ_SCHEMA_REGISTRY_URL = REGISTRY


def wait(*numbers: int) -> None:
    """Store a record for each of these schemas, none of which is known."""
    records = [
        record(framed(number, envelope(f"e-{number}")), place)
        for place, number in enumerate(numbers)
    ]
    write(Catalogue(), *records)


def due_now() -> None:
    Schema.objects.update(next_at=timezone.now())


def test_what_records_wait_for_is_fetched_and_they_are_decoded() -> None:
    wait(42, 43)
    fetch, decode = FetchSchemas(Shelf(42, 43), REGISTRY), DecodeLate(REGISTRY)

    assert [fetch.run(), fetch.run()] == [True, False]
    assert [decode.run(), decode.run(), decode.run()] == [True, True, False]

    assert sorted(Event.objects.values_list("event_id", "error")) == [
        ("e-42", None),
        ("e-43", None),
    ]
    assert not fetch.wanted()
    assert not decode.wanted()


def test_nothing_is_asked_while_nobody_waits() -> None:
    assert not FetchSchemas(Shelf(), REGISTRY).wanted()
    assert not DecodeLate(REGISTRY).wanted()


def test_a_registry_that_is_away_is_asked_once_and_then_left_alone_for_a_while() -> None:
    wait(42)
    shelf = Shelf(42)
    shelf.away = True
    fetch = FetchSchemas(shelf, REGISTRY)

    assert [fetch.run(), fetch.run()] == [False, False]

    row = Schema.objects.get()
    assert (shelf.asked, row.tries, row.type) == (["42"], 1, "")
    assert row.error.startswith("The schema registry does not answer.")
    shelf.away = False
    due_now()
    fetch.run()
    assert Schema.objects.get().type == "AVRO"


def mirrored(number: int, body: object, *, references: list[object] | None = None) -> None:
    """Store what a mirror saw of the registry."""
    subject, _ = Subject.objects.get_or_create(registry=REGISTRY, name=f"subject-{number}")
    SubjectVersion.objects.create(
        subject=subject,
        version=1,
        number=number,
        type="AVRO",
        text=json.dumps(body),
        references=references or [],
        fingerprint=str(number),
        seen_at=timezone.now(),
    )


def test_what_the_mirror_holds_is_decoded_although_the_registry_is_away() -> None:
    *head, payload = json.loads(json.dumps(ENVELOPE))["fields"]
    mirrored(41, payload["type"])
    reference = {"name": "Payload", "subject": "subject-41", "version": 1}
    fields = [*head, {"name": "payload", "type": "Payload"}]
    mirrored(42, {**ENVELOPE, "fields": fields}, references=[reference])
    mirrored(43, ENVELOPE)
    wait(42, 43, 44)
    shelf = Shelf()
    shelf.away = True
    fetch, decode = FetchSchemas(shelf, REGISTRY), DecodeLate(REGISTRY)

    assert not fetch.run()

    assert [decode.run(), decode.run(), decode.run()] == [True, True, False]
    decoded = Event.objects.filter(error=None).values_list("event_id", flat=True)
    assert sorted(decoded) == ["e-42", "e-43"]
    # What nobody here has goes on waiting.
    assert AwaitingRecord.objects.get().reference == "id:44"


def test_the_mirror_is_not_asked_while_the_registry_answers() -> None:
    mirrored(42, ENVELOPE)
    wait(42)

    FetchSchemas(Shelf(), REGISTRY).run()

    assert not Schema.objects.exclude(type="").exists()


def test_a_mirrored_schema_that_builds_on_itself_goes_on_waiting() -> None:
    itself = {"name": "Payload", "subject": "subject-42", "version": 1}
    mirrored(42, ENVELOPE, references=[itself, itself])
    wait(42)
    shelf = Shelf()
    shelf.away = True

    FetchSchemas(shelf, REGISTRY).run()

    assert AwaitingRecord.objects.exists()


def test_the_waits_of_an_id_that_nobody_knows_grow() -> None:
    wait(42)
    fetch = FetchSchemas(Shelf(), REGISTRY)
    waits = []
    for _ in range(12):
        due_now()
        begun = timezone.now()
        fetch.run()
        ended = timezone.now()
        row = Schema.objects.get()
        assert row.next_at is not None
        # It was asked for somewhere between.
        waits.append(((row.next_at - ended).total_seconds(), (row.next_at - begun).total_seconds()))

    for wait_s, (least_s, most_s) in zip([1, 2, 4, 8], waits, strict=False):
        assert least_s <= wait_s <= most_s
    assert waits[-1][0] <= 300 <= waits[-1][1]
    assert AwaitingRecord.objects.exists()


def test_many_ids_that_nobody_knows_do_not_hide_one_that_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tracing.jobs.schemas.MAX_REFERENCES", 3)
    wait(*range(10, 20), 42)
    fetch, decode = FetchSchemas(Shelf(42), REGISTRY), DecodeLate(REGISTRY)

    for _ in range(20):
        fetch.run()
    decode.run()

    assert Event.objects.filter(event_id="e-42", error=None).exists()
