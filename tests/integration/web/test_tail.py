"""The tail: rows, filters, older events, what its socket sends."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from tests.integration.log import record, write
from tests.integration.pages import page
from tracing.projections import reading
from tracing.web.tail import filters as tail_filters
from tracing.web.tail import present as tail_present


def test_the_tail_shows_events_with_a_link_into_their_flow(demo: Client) -> None:
    write(record("e/1", flow="o 1"), record("e2", "Shipped", flow="o 1", topic="other"))

    text = page(demo, "/tail/")

    assert 'href="/flows/o%201?event=e%2F1"' in text
    assert text.index("Shipped") < text.index('href="/flows/o%201?event=e%2F1"')
    assert 'ws-connect="/live/tail?after=2"' in text


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("type=Shipped", {"Shipped"}),
        ("topic=orders", {"OrderPlaced"}),
        ("service=shipping", {"Shipped"}),
        ("text=SHIP", {"Shipped"}),
        ("text=ord-1", {"Shipped", "OrderPlaced"}),
        ("text=nothing", set()),
    ],
)
def test_the_tail_filters_by_its_address(demo: Client, query: str, types: set[str]) -> None:
    write(record("1"), record("2", "Shipped", topic="other", service="shipping"))

    text = page(demo, f"/tail/?{query}")

    assert set(re.findall(r'class="cut type[^>]*>([^<]*)<', text)) == types


def test_older_events_are_a_page_behind(demo: Client) -> None:
    write(*(record(str(n)) for n in range(130)))

    first = page(demo, "/tail/")
    older = html.unescape(re.findall(r'data-older href="([^"]*)"', first)[0])
    second = page(demo, older)

    assert len(re.findall("data-position=", first)) == 100
    assert len(re.findall("data-position=", second)) == 30
    assert "Back to the newest" in second


def test_a_frame_of_the_tail_says_what_it_leaves_out(demo: Client) -> None:
    write(record("1"), record("2"))
    events = reading.list_events(limit=10).events

    frame = tail_present.updates(events[:1], tail_filters.parse({"topic": "a b"}), missed=1_240)

    assert "1,240 more not shown" in frame
    assert 'href="/tail/?topic=a+b&amp;before=2"' in frame
