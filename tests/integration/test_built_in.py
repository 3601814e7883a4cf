"""The built-in registry: entries in tables, by Confluent's rules; records are decoded by it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import DatabaseError

from tests.integration.framed import ENVELOPE, envelope, framed, record, write
from tracing.jobs.schemas import DecodeLate
from tracing.models import AwaitingRecord, Event, Schema, Subject, SubjectVersion, SubjectWord
from tracing.projections.catalogue import Catalogue
from tracing.schemas.built_in import BuiltIn
from tracing.schemas.errors import (
    BadSchemaError,
    IncompatibleSchemaError,
    ReferencedError,
    SchemaUnknownError,
    SubjectDeletedError,
    SubjectNotDeletedError,
    SubjectUnknownError,
    VersionNotDeletedError,
    VersionUnknownError,
)
from tracing.schemas.registry import Deed, Draft, Level, Reference

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
STORE = BuiltIn()


def avro(*fields: Any, name: str = "Order", references: tuple[Reference, ...] = ()) -> Draft:
    """Return a record of these fields; a bare name is a string's."""
    listed = [{"name": one, "type": "string"} if isinstance(one, str) else one for one in fields]
    body = {"type": "record", "name": name, "namespace": "shop", "fields": listed}
    return Draft(json.dumps(body), references=references)


CURRENCY = {"name": "currency", "type": "string", "default": "USD"}
V1, V2 = avro("orderId"), avro("orderId", CURRENCY)


def test_versions_and_ids_are_given_once_and_found_again() -> None:
    first = STORE.register("orders-value", V1, by="ana")
    again = STORE.register("orders-value", Draft(json.dumps(json.loads(V1.text), indent=2)), by="x")
    second = STORE.register("orders-value", V2, by="ben")
    elsewhere = STORE.register("copies-value", V1, by="ana")

    assert (first.version, second.version, again) == (1, 2, first)
    assert (elsewhere.version, elsewhere.id) == (1, first.id)
    assert second.id != first.id
    assert STORE.subjects() == ["copies-value", "orders-value"]
    assert STORE.versions("orders-value") == [1, 2]
    assert STORE.by_version("orders-value", None) == second
    assert STORE.places(first.id) == [("copies-value", 1), ("orders-value", 1)]
    assert STORE.look_up("orders-value", V1) == first
    assert STORE.by_id(second.id).text == V2.text
    row = SubjectVersion.objects.get(number=second.id)
    assert (row.registered_by, row.registered_at is not None) == ("ben", True)
    subject = Subject.objects.get(name="orders-value")
    assert (subject.latest, subject.count, subject.type) == (2, 2, "AVRO")


def test_what_breaks_is_refused_with_the_reason() -> None:
    STORE.register("orders-value", V1, by="ana")

    with pytest.raises(IncompatibleSchemaError) as raised:
        STORE.register("orders-value", avro("orderId", "shippingAddress"), by="ana")

    [reason] = raised.value.reasons
    assert reason == (
        "`shippingAddress` is new and has no default: data of version 1 lacks it, and who reads"
        " with the new version would fail. Give it a default."
    )
    assert STORE.versions("orders-value") == [1]
    STORE.set_level("orders-value", Level.NONE, by="ana")
    assert STORE.register("orders-value", avro("a"), by="ana").version == 2


def test_a_transitive_level_looks_at_every_version() -> None:
    amount = {"name": "amount", "type": "int"}
    STORE.register("s", avro(amount), by="a")
    STORE.register("s", avro(), by="a")
    draft = avro({"name": "amount", "type": "string", "default": ""})

    assert STORE.check_all("s", draft).compatible
    STORE.set_level("", Level.BACKWARD_TRANSITIVE, by="a")
    verdict = STORE.check_all("s", draft)

    assert verdict.reasons == (
        "`amount` of version 1 is int, which cannot be read as string (read with the new version).",
    )
    assert STORE.level("s") is None
    STORE.clear_level("", by="a")
    assert STORE.level() is Level.BACKWARD


def test_deletion_goes_in_two_steps_and_ids_stay() -> None:
    first = STORE.register("s", V1, by="a")
    second = STORE.register("s", V2, by="a")

    with pytest.raises(VersionNotDeletedError):
        STORE.delete_version("s", 1, by="a", permanent=True)
    assert STORE.delete_version("s", 1, by="a") == 1
    assert STORE.versions("s") == [2]
    assert STORE.versions("s", deleted=True) == [1, 2]
    with pytest.raises(VersionUnknownError):
        STORE.by_version("s", 1)
    # Records still name it.
    assert STORE.by_id(first.id).text == V1.text
    with pytest.raises(SubjectNotDeletedError):
        STORE.delete_subject("s", by="a", permanent=True)
    assert STORE.delete_subject("s", by="a") == [2]
    with pytest.raises(SubjectDeletedError):
        STORE.delete_subject("s", by="a")
    assert STORE.subjects() == []
    assert STORE.subjects(deleted=True) == ["s"]
    # Registered again it is a new version with the old id.
    assert STORE.register("s", V1, by="a") == type(first)("s", 3, first.id, "AVRO", V1.text)
    STORE.delete_subject("s", by="a")
    assert STORE.delete_subject("s", by="a", permanent=True) == [1, 2, 3]
    with pytest.raises(SubjectUnknownError):
        STORE.versions("s", deleted=True)
    with pytest.raises(SchemaUnknownError):
        STORE.by_id(second.id)
    assert STORE.register("t", avro("z"), by="a").id > second.id
    assert Schema.objects.filter(reference=f"id:{second.id}").exists()


def test_a_schema_builds_on_another_which_then_cannot_go() -> None:
    STORE.register("money", avro("unit", name="Money"), by="a")
    price = {"name": "price", "type": "shop.Money"}
    draft = avro(price, references=(Reference("shop.Money", "money", 1),))

    with pytest.raises(BadSchemaError):
        STORE.register("items", avro(price), by="a")
    entry = STORE.register("items", draft, by="a")

    assert STORE.referenced_by("money", 1) == [entry.id]
    with pytest.raises(ReferencedError):
        STORE.delete_version("money", 1, by="a")
    assert Schema.objects.get(reference=f"id:{entry.id}").references == [
        ["shop.Money", avro("unit", name="Money").text]
    ]


def test_no_change_is_made_that_cannot_be_told() -> None:
    STORE.register("orders-value", V1, by="ana")

    def full(_deed: Deed) -> None:
        raise DatabaseError

    store = BuiltIn(full)
    for change in (
        lambda: store.register("orders-value", V2, by="ana"),
        lambda: store.set_level("orders-value", Level.FULL, by="ana"),
        lambda: store.delete_version("orders-value", 1, by="ana"),
        lambda: store.delete_subject("orders-value", by="ana"),
    ):
        with pytest.raises(DatabaseError):
            change()

    assert STORE.versions("orders-value") == [1]
    assert STORE.level("orders-value") is None
    # What changes nothing is not told.
    store.register("orders-value", V1, by="ana")
    store.clear_level("", by="ana")


def test_fields_are_found_by_each_of_their_words() -> None:
    STORE.register("orders-value", avro("orderCurrency"), by="a")

    found = SubjectWord.objects.values_list("word", "path").order_by("word")

    assert [(bytes(word), path) for word, path in found] == [
        (b"currency", "orderCurrency"),
        (b"ordercurrency", "orderCurrency"),
        (b"orders-value", ""),
        (b"value", ""),
    ]


def test_records_are_decoded_by_it_at_once() -> None:
    entry = STORE.register("orders-value", Draft(json.dumps(ENVELOPE)), by="a")

    write(Catalogue(), record(framed(entry.id, envelope())))

    assert Event.objects.get().event_id == "e-1"


def test_a_record_that_comes_first_is_decoded_late() -> None:
    entry = STORE.register("orders-value", V1, by="a")
    catalogue = Catalogue()
    write(catalogue, record(framed(entry.id + 1, envelope())))
    assert AwaitingRecord.objects.count() == 1

    STORE.register("others-value", Draft(json.dumps(ENVELOPE)), by="a")
    assert DecodeLate("").run()

    assert Event.objects.get().event_id == "e-1"
