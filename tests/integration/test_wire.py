"""What is on the wire against what is registered: checked behind the writers, told by service."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pytest
from msgspec import structs
from pytest_django import DjangoAssertNumQueries

from tests.integration.log import record, write
from tracing.codec.formats.schema import Schema
from tracing.domain.record import Record
from tracing.jobs.checking import CheckPayloads
from tracing.models import SchemaCheck
from tracing.projections import reading
from tracing.projections.rebuild import rebuild
from tracing.schemas.breaking import who_would_break
from tracing.schemas.current import current_registry
from tracing.schemas.registry import Draft
from tracing.schemas.unregistered import unregistered
from tracing.schemas.violations import NOBODY, violations

pytestmark = pytest.mark.django_db

V1 = [{"name": "orderId", "type": "string"}, {"name": "amount", "type": "double"}]
V2 = [*V1, {"name": "currency", "type": "string", "default": "EUR"}]


def avro(fields: list[Any]) -> str:
    return json.dumps({"type": "record", "name": "OrderPlaced", "fields": fields})


def register(subject: str = "OrderPlaced", *versions: list[Any]) -> None:
    for fields in versions or (V1, V2):
        current_registry().register(subject, Draft(avro(fields)), by="ann")


def placed(number: int, version: Any, payload: Any, service: str = "web") -> Record:
    body = {
        "eventId": f"e-{number}",
        "eventType": "OrderPlaced",
        "schemaVersion": version,
        "correlationId": f"f-{number}",
        "payload": payload,
    }
    return record("-", value=json.dumps(body).encode(), service=service)


GOOD = {"orderId": "1", "amount": 1.5}


def check_all() -> None:
    step = CheckPayloads()
    while step.wanted() and step.run():
        pass


def told(event_type: str = "") -> list[tuple[Any, ...]]:
    return [
        (one.service, one.version, one.path, one.reason, one.records)
        for one in violations(event_type=event_type)
    ]


def test_violations_are_counted_once_by_version_service_field_and_reason() -> None:
    register()
    write(
        placed(1, 1, GOOD),
        placed(2, 1, GOOD | {"amount": "much"}),
        placed(3, "v1", {"orderId": "2", "amount": "more"}, "batch"),
        placed(4, 2, GOOD | {"currency": 5, "vip": True}),
        placed(5, 7, GOOD),
        placed(6, None, {}),
        record("7", "Unregistered"),
        record("8", value=b"{broken"),
    )
    check_all()
    write(placed(9, 1, GOOD | {"amount": "much"}))
    check_all()
    check_all()

    assert sorted(told()) == [
        ("batch", "v1", "amount", "is text instead of a number", 1),
        ("web", "1", "amount", "is text instead of a number", 2),
        ("web", "2", "currency", "is a whole number instead of text", 1),
        ("web", "2", "vip", "is not in the schema", 1),
        ("web", "7", "", "nobody registered this version", 1),
    ]
    (newest,) = [one for one in violations(subject="OrderPlaced") if one.records == 2]
    assert (newest.event_id, newest.correlation_id) == ("e-9", "f-9")
    assert told(event_type="Unregistered") == []
    row = SchemaCheck.objects.get()
    assert (row.checked, row.passed) == (5, 0)
    rebuild()
    check_all()
    assert len(told()) == 5


def test_a_run_that_is_out_of_time_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracing.jobs.checking.BUDGET_S", 0)
    register()
    write(*(placed(number, 1, GOOD | {"amount": "much"}) for number in range(5)))
    step, runs = CheckPayloads(), 0
    while step.wanted() and step.run():
        runs += 1
        assert SchemaCheck.objects.get().checked == runs

    assert (runs, [row[-1] for row in told()]) == (5, [5])


def test_a_schema_whose_alternatives_multiply_holds_nothing_up() -> None:
    steps = {f"a{n}": {"anyOf": 2 * [{"$ref": f"#/$defs/a{n + 1}"}]} for n in range(60)}
    text = json.dumps({"$defs": {**steps, "a60": {"type": "string"}}, "$ref": "#/$defs/a0"})
    current_registry().register("OrderPlaced", Draft(text, "JSON"), by="mallory")
    write(placed(1, 1, GOOD))
    check_all()

    assert told() == []
    found = who_would_break(Schema("JSON", text), "OrderPlaced")
    assert "alternatives multiply" in found.error


def test_what_is_registered_later_is_counted_anew() -> None:
    register("OrderPlaced", V1)
    write(placed(1, 1, GOOD), placed(2, 2, GOOD), placed(3, "v2", GOOD | {"currency": 5}))
    check_all()
    assert {row[3] for row in told()} == {NOBODY}

    register("OrderPlaced", V2)
    assert CheckPayloads().wanted()
    check_all()

    assert told() == [("web", "v2", "currency", "is a whole number instead of text", 1)]
    assert not CheckPayloads().wanted()
    # What comes now is counted once, beside that.
    write(placed(4, "v2", GOOD | {"currency": 6}))
    check_all()
    assert [row[-1] for row in told()] == [2]


def test_a_types_first_subject_looks_back_too() -> None:
    register("Other", V1)
    write(placed(1, 1, GOOD | {"amount": "much"}))
    check_all()
    assert told() == []

    register("orders-OrderPlaced", V1)
    check_all()

    assert [row[2] for row in told()] == ["amount"]


def test_nothing_is_looked_at_while_no_schema_is_registered() -> None:
    write(placed(1, 1, GOOD))

    assert not CheckPayloads().wanted()


@pytest.mark.parametrize(
    ("subject", "applies"),
    [("OrderPlaced", True), ("orders-OrderPlaced", True), ("orders-value", True), ("x", False)],
)
def test_the_subject_is_found_by_the_usual_names(subject: str, applies: bool) -> None:
    register(subject)
    write(placed(1, 1, {}))
    check_all()

    assert bool(told()) == applies


def test_many_events_are_asked_at_once_which_versions_nobody_registered(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    write(
        *(placed(number, version, GOOD) for number, version in enumerate((1, "v2", 3, "x", None)))
    )
    events = [item.event for item in reading.events_at(range(1, 6))]
    with django_assert_num_queries(1):
        assert unregistered(events) == frozenset()
    register("orders-OrderPlaced")
    with django_assert_num_queries(2):
        assert {one[2] for one in unregistered(events)} == {"3", "x"}
    # The subject of the type alone goes before.
    register("OrderPlaced", V1)
    assert {one[2] for one in unregistered(events)} == {"v2", "3", "x"}


def test_a_topics_subject_of_another_name_says_nothing_of_the_type() -> None:
    text = json.dumps({"type": "record", "name": "Other", "fields": V1})
    current_registry().register("orders-value", Draft(text), by="ann")
    write(placed(1, 1, {}))
    check_all()

    assert told() == []


def test_who_would_break_tells_by_service_what_does_not_fit() -> None:
    write(
        placed(1, 1, GOOD),
        placed(2, 1, GOOD, "batch"),
        placed(3, 1, GOOD | {"shippingAddress": "Here 1"}),
        record("4", "PaymentFailed", payload={}),
    )
    needed = [*V2, {"name": "shippingAddress", "type": "string"}]

    found = who_would_break(Schema("AVRO", avro(needed)), "OrderPlaced")

    assert (found.looked, found.failing) == (3, 2)
    assert found.services == (("batch", 1, 1), ("web", 1, 2))
    assert {(one.service, one.path, one.reason, one.event_id) for one in found.findings} == {
        ("batch", "shippingAddress", "is missing", "e-2"),
        ("web", "shippingAddress", "is missing", "e-1"),
    }
    assert who_would_break(Schema("AVRO", avro(V2)), "OrderPlaced").failing == 0
    assert who_would_break(Schema("AVRO", "{"), "OrderPlaced").error
    assert who_would_break(Schema("AVRO", avro(needed)), "OrderPlaced", limit=1).looked == 1


def test_what_fitted_no_version_before_is_told_apart_from_what_would_break() -> None:
    register()
    write(
        placed(1, 1, GOOD),
        placed(2, 1, {"orderId": 7}),
        placed(3, 1, GOOD | {"shippingAddress": "Here 1"}),
    )
    needed = [*V2, {"name": "shippingAddress", "type": "string"}]

    harmless = who_would_break(Schema("AVRO", avro(V2)), "OrderPlaced")
    breaking = who_would_break(Schema("AVRO", avro(needed)), "OrderPlaced")

    assert (harmless.looked, harmless.failing, harmless.broken) == (3, 0, 1)
    assert (breaking.looked, breaking.failing, breaking.broken) == (3, 1, 1)
    assert [(one.path, one.event_id) for one in breaking.findings] == [("shippingAddress", "e-1")]


def test_copies_of_an_event_are_looked_at_once() -> None:
    original = placed(1, 1, GOOD)
    copies = [
        structs.replace(original, topic=topic, headers=(("eventviz-failure-topic", b"orders"),))
        for topic in ("orders.retry.1", "orders.dlq")
    ]
    write(original, *copies)
    needed = [*V2, {"name": "shippingAddress", "type": "string"}]

    found = who_would_break(Schema("AVRO", avro(needed)), "OrderPlaced")

    assert (found.looked, found.failing) == (1, 1)


ENVELOPE = {
    "title": "Envelope",
    "type": "object",
    "required": ["eventId", "eventType", "payload"],
    "properties": {
        "eventId": {},
        "eventType": {},
        "correlationId": {},
        "payload": {"type": "object", "properties": {"amount": {"type": "number"}}},
    },
}


def framed(kind: str, text: str, body: bytes) -> Record:
    entry = current_registry().register("bills-value", Draft(text, kind), by="ann")
    return record("-", value=b"\x00" + entry.id.to_bytes(4, "big") + body, topic="bills")


def test_a_frames_schema_is_of_the_whole_value_not_of_the_payload() -> None:
    body = {"eventId": "b-1", "eventType": "Billed", "payload": {"amount": "much"}}
    write(framed("JSON", json.dumps(ENVELOPE), json.dumps(body).encode()))
    check_all()

    assert [one[2:4] for one in told()] == [("payload.amount", "is text instead of a number")]
    good = {"eventId": "b-2", "eventType": "Billed", "payload": {"amount": 5}}
    write(framed("JSON", json.dumps(ENVELOPE), json.dumps(good).encode()))
    needed = json.dumps(ENVELOPE | {"required": ["eventId", "tenant"]}).replace("number", "string")
    found = who_would_break(Schema("JSON", needed), "Billed")
    assert (found.failing, found.broken) == (1, 1)
    assert {one.path for one in found.findings} == {"tenant", "payload.amount"}


def test_what_avro_was_read_by_it_fits() -> None:
    fields = [{"name": name, "type": "string"} for name in ("eventId", "eventType")]
    text = json.dumps({"type": "record", "name": "Bill", "fields": fields})
    out = io.BytesIO()
    fastavro.schemaless_writer(
        out, fastavro.parse_schema(json.loads(text)), {"eventId": "b-1", "eventType": "Billed"}
    )
    write(framed("AVRO", text, out.getvalue()))
    check_all()

    assert told() == []
    assert SchemaCheck.objects.get().checked == 1
    assert who_would_break(Schema("AVRO", text), "Billed").failing == 0
