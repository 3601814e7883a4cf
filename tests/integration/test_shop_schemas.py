"""The shop's OrderPlaced: its versions are registered in turn, and its payloads fit them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from opentelemetry.trace import NoOpTracer

from tests.integration.log import write
from tracing.demo import avro
from tracing.demo.orders import SOURCE, place_order
from tracing.demo.publishing import Context, Publisher
from tracing.demo.scenarios import Scenario
from tracing.domain.record import Header, Record
from tracing.jobs.checking import CheckPayloads
from tracing.kafka.producer import Coordinates
from tracing.models import Event, SchemaCheck
from tracing.projections.record_reading import stored_record
from tracing.projections.version_reading import seen
from tracing.schemas.current import current_registry
from tracing.schemas.violations import violations

pytestmark = pytest.mark.django_db

FOLDER = Path(settings.BASE_DIR) / "tracing" / "demo" / "schemas"
FILES = sorted(FOLDER.glob("OrderPlaced.*"))


class Basket:
    """Carries records to a list."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def deliver(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Any = ()
    ) -> Coordinates:
        given: tuple[Header, ...] = tuple(headers)
        self.records.append(
            Record(
                topic=topic,
                partition=0,
                offset=-1,
                timestamp_ms=1_700_000_000_000,
                key=key,
                value=value,
                value_length=len(value or b""),
                headers=given,
            )
        )
        return Coordinates(topic, 0, len(self.records))


def test_the_versions_follow_each_other_and_all_orders_fit_one() -> None:
    call_command("schema", "OrderPlaced", *map(str, FILES), verbosity=0)
    basket = Basket()
    publisher = Publisher(basket, source=SOURCE, tracer=NoOpTracer())
    for number in range(30):
        place_order(publisher, f"ORD-{number}", Scenario.FINE)
    place_order(publisher, "ORD-30", Scenario.BAD_PAYLOAD)
    place_order(publisher, "ORD-31", Scenario.UNKNOWN_VERSION)
    write(*basket.records)
    step = CheckPayloads()
    while step.run():
        pass

    assert {one.version for one in seen(["OrderPlaced"])["OrderPlaced"]} == {"1", "2", "3"}
    found = {(one.path, one.reason) for one in violations()}
    assert found == {
        ("items[].quantity", "is text instead of a whole number"),
        ("", "nobody registered this version"),
    }
    assert SchemaCheck.objects.get().checked == 31


def test_an_address_that_every_order_must_have_is_refused_with_the_reason(tmp_path: Path) -> None:
    """The first form of version 2: who reads by it could not read what version 1 wrote."""
    call_command("schema", "OrderPlaced", str(FILES[0]), verbosity=0)
    second = json.loads(FILES[1].read_text())
    address = next(field for field in second["fields"] if field["name"] == "shippingAddress")
    address.pop("default")
    address["type"] = "string"
    first_form = tmp_path / "OrderPlaced.v2.avsc"
    first_form.write_text(json.dumps(second))

    with pytest.raises(CommandError, match="shippingAddress"):
        call_command("schema", "OrderPlaced", str(first_form), verbosity=0)

    assert current_registry().versions("OrderPlaced") == [1]
    call_command("schema", "OrderPlaced", str(FILES[1]), verbosity=0)
    assert current_registry().versions("OrderPlaced") == [1, 2]


def test_notifications_are_avro_in_a_frame_that_the_built_in_registry_explains() -> None:
    basket = Basket()
    encode = avro.Notifications().encode
    publisher = Publisher(basket, source="email", tracer=NoOpTracer(), avro={avro.TOPIC: encode})
    context = Context(order_id="ORD-1", correlation_id="f-1", causation_id="e-0")
    told = {"orderId": "ORD-1", "customerId": "C", "channel": "email", "template": "order-received"}
    publisher.publish_event("OrderAcknowledged", told, context)
    write(*basket.records)

    (record,) = basket.records
    assert (record.value or b"")[:1] == b"\x00"
    (one,) = seen(["OrderAcknowledged"])["OrderAcknowledged"]
    assert one.schema == str(current_registry().by_version(avro.SUBJECT, 1).id)
    item = Event.objects.get()
    stored = stored_record(item.record, 0)
    assert stored is not None
    assert stored.format == "Avro"
    assert json.loads(stored.payload or b"") == {**told, "trackingNumber": None, "scenario": None}
