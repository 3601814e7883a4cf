"""The pages of schemas: the list, a subject, its versions, what the wire says of them."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from tests.integration.log import record, write
from tests.integration.web.schemas import avro, page, registered
from tracing.models import RegistryHead, SubjectVersion
from tracing.schemas.registry import Reference

pytestmark = pytest.mark.usefixtures("strict_templates")
HOSTILE = "<script>alert(1)</script>"


# Reading


def test_an_empty_registry_says_how_to_register_the_first(operator: Client, reader: Client) -> None:
    assert "Register the first schema" in page(operator, "/schemas/")
    assert "Register the first schema" not in page(reader, "/schemas/")


def test_subjects_are_listed_with_who_and_what(reader: Client) -> None:
    registered("orders-value", avro("id"), avro("id", "currency=USD"))

    text = page(reader, "/schemas/")

    assert "orders-value" in text
    assert "linus" in text
    assert ">v2<" in text
    assert "BACKWARD" in text


def test_the_list_is_searched_by_subject_and_by_field(reader: Client) -> None:
    registered("orders-value", avro("id", "orderCurrency=USD"))
    registered("parcels-value", avro("id", "weight=1"))

    found = page(reader, "/schemas/?q=currency")
    assert "orders-value" in found
    assert '<code class="dim">orderCurrency</code>' in found
    assert "parcels-value" not in found
    assert "parcels-value" in page(reader, "/schemas/?q=PARC")
    assert "No subject matches" in page(reader, "/schemas/?q=nothing")


def test_the_list_goes_on_behind_a_name(reader: Client) -> None:
    for number in range(60):
        registered(f"s-{number:03}", avro("id"))

    first = page(reader, "/schemas/")
    assert "s-049" in first
    assert "s-050" not in first
    assert "/schemas/?after=s-049" in first
    assert "s-050" in page(reader, "/schemas/?after=s-049")


def test_a_page_of_the_list_costs_a_few_queries(
    reader: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(50):
        registered(f"s-{number:03}", avro("id"))

    with django_assert_max_num_queries(25):
        page(reader, "/schemas/?q=s")


def test_a_framed_schema_is_known_on_the_wire_by_its_id(reader: Client) -> None:
    registered("orders-value", avro("id"), avro("id", "currency=USD"))
    number = SubjectVersion.objects.get(version=1).number
    value = b"\x00" + number.to_bytes(4, "big") + b"\x02a"
    write(record("-", value=value, topic="orders", service="old-shop"))

    assert '<span class="mono bad-back">v1</span>' in page(reader, "/schemas/")
    assert "old-shop" in page(reader, "/schemas/subject/orders-value")


def test_a_subject_shows_two_versions_and_what_differs(reader: Client) -> None:
    registered("orders-value", avro("id"), avro("id", "currency=USD"), avro("id", "region=EU"))

    text = page(reader, "/schemas/subject/orders-value?old=1&new=2")

    assert "From v1 to v2" in text
    assert "added, with default USD" in text
    assert "old readers and writers are fine" in text
    assert "From v2 to v3" in page(reader, "/schemas/subject/orders-value")
    assert reader.get("/schemas/subject/nothing").status_code == 404


def test_references_lead_both_ways(reader: Client) -> None:
    registered("money", avro("amount", name="Money"))
    fields = [{"name": "total", "type": "shop.Money"}]
    user = json.dumps({"type": "record", "name": "Bill", "namespace": "shop", "fields": fields})
    registered("bills", user, references=(Reference("shop.Money", "money", 1),))

    assert "/schemas/subject/money?new=1" in page(reader, "/schemas/subject/bills")
    assert "/schemas/subject/bills?new=1" in page(reader, "/schemas/subject/money")


def test_a_strangers_names_are_escaped(reader: Client) -> None:
    registered(HOSTILE, avro("id"), avro("id", f"note={HOSTILE}"))

    for address in ("/schemas/", "/schemas/subject/%3Cscript%3Ealert(1)%3C%2Fscript%3E"):
        assert HOSTILE not in reader.get(address).content.decode()


def test_a_mirror_that_stands_still_says_since_when(reader: Client, settings: Settings) -> None:
    settings.EVENTVIZ_SCHEMA_REGISTRY_URL = "http://schemas.test:8081"
    assert "Not read yet" in page(reader, "/schemas/")
    at = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
    RegistryHead.objects.create(
        registry="http://schemas.test:8081", mirrored_at=at, error="It does not answer."
    )

    text = page(reader, "/schemas/")

    assert "The registry is away" in text
    assert "2026-01-31 12:00:00" in text
    assert "It does not answer." in text


# What the wire says


def test_the_list_says_who_still_produces_the_oldest_version(reader: Client) -> None:
    registered("OrderPlaced", avro("id"), avro("id", "currency=USD"))
    write(record("e-1", payload={"id": "1"}, service="order-service"))

    text = page(reader, "/schemas/")

    assert ">v1</span>" in text
    assert "by order-service" in text


def test_a_version_shows_an_example_from_the_wire(reader: Client) -> None:
    registered("OrderPlaced", avro("id"), avro("id", "currency=USD"))
    write(record("e-1", payload={"id": "a-first-order"}, flow="o-7"))

    text = page(reader, "/schemas/subject/OrderPlaced")

    assert "a-first-order" in text
    assert "/flows/o-7?event=e-1" in text
    assert text.count("From the wire") == 1
