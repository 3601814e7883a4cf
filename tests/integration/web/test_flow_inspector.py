"""What the page of a flow says of one event."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.integration.log import NOW_MS, record, write
from tests.integration.web.flows import INSPECTOR, page, store_declined
from tracing.web.address import element_id, flow_url

pytestmark = pytest.mark.django_db


def test_the_failed_event_is_selected_when_none_is_asked_for(reader: Client) -> None:
    store_declined()

    text = page(reader, "/flows/o-1")

    assert f'data-default="{element_id("ev", "declined")}"' in text
    assert 'class="inspected" data-event="declined"' in text


def test_every_event_has_an_address(reader: Client) -> None:
    store_declined()

    text = page(reader, flow_url("o-1", "held"))

    assert 'class="inspected" data-event="held"' in text
    assert 'class="side open"' in text
    assert "40 ms before" in text
    assert "1.9 s later" in text


def test_htmx_gets_the_inspector_alone(reader: Client) -> None:
    store_declined()

    response = reader.get(flow_url("o-1", "declined"), headers=INSPECTOR)
    text = response.content.decode()

    assert text.lstrip().startswith('<div class="inspected" data-event="declined"')
    assert "HX-Request" in response["Vary"]
    assert "payments[0]@0" in text
    assert '<span class="jn">12.5</span>' in text
    assert re.search(r">x</dt><dd><code>1</code>.*>x</dt><dd><span class=\"dim\">null", text, re.S)
    assert "0xff00" in text


def test_the_inspector_has_the_version_of_its_card(reader: Client) -> None:
    store_declined()

    for event in ("placed", "declined", "freed"):
        text = page(reader, flow_url("o-1", event))

        inspected = re.search(r'class="inspected" data-event="\w+" data-version="([^"]+)"', text)
        card = re.search(rf'data-event="{event}" data-x[^>]* data-version="([^"]+)"', text)
        assert inspected
        assert card
        assert inspected[1] == card[1]


def test_redeliveries_are_listed_by_their_coordinates(reader: Client) -> None:
    store_declined()

    assert "stock[0]@2" in page(reader, flow_url("o-1", "freed"))


def test_copies_of_a_retry_are_attempts_and_no_deliveries(reader: Client) -> None:
    write(record("e1", at_ms=NOW_MS), record("e1", topic="orders.retry", at_ms=NOW_MS + 1))
    write(record("e1", topic="orders.dlq", at_ms=NOW_MS + 2))
    write(record("e1", headers=(("eventviz-retry-id", b"r-1"),), at_ms=NOW_MS + 3))

    text = " ".join(re.sub(r"<[^>]+>", " ", page(reader, flow_url("o-1", "e1"))).split())

    assert "Attempts ◐ orders.retry[0]@0 retry topic ✕ orders.dlq[0]@0 dead letter" in text
    assert "↻ orders[0]@1 sent again" in text
    assert "Delivered again" not in text


def test_an_unknown_event_is_said_to_be_unknown(reader: Client) -> None:
    store_declined()

    assert "No such event here" in page(reader, flow_url("o-1", "<b>nobody"))


def test_values_that_break_decoders_are_shown(reader: Client) -> None:
    deep = b'{"eventId":"deep","payload":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    write(
        record("a", value=deep),
        record("b", value=b"\x00\xff\xfe"),
        record("c", value=b'{"eventId":"nul","correlationId":"nul","payload":"a\\u0000b"}'),
        record("d", "Big", flow="big", payload=["é" * 100] * 10_000),
    )

    assert "nests deeper" in page(reader, flow_url("orders[0]@0"))
    assert "0000  00 ff fe" in page(reader, flow_url("orders[0]@1"))
    assert "a\\u0000b" in page(reader, flow_url("nul"))
    big = page(reader, flow_url("big"))
    assert len(big) < 400_000
    assert "The rest" in big


def test_a_tombstone_has_no_payload(reader: Client) -> None:
    gone = record("gone", value=b"")
    write(
        type(gone)(
            **{
                **{name: getattr(gone, name) for name in gone.__struct_fields__},
                "value": None,
                "value_length": 0,
            }
        )
    )

    assert "the record has no value" in page(reader, flow_url("orders[0]@0"))
