"""The list of flows: rows, filters, cursors, what its socket sends."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from django.utils.safestring import SafeString
from pytest_django import DjangoAssertNumQueries, Settings

from tests.integration.log import NOW_MS, record, write
from tests.integration.pages import page
from tracing.projections import flow_reading, reading
from tracing.web.flows import filters, present
from tracing.web.present import iso


def shown(text: str) -> list[str]:
    """Return the correlation ids of the flow rows on a page."""
    return [
        html.unescape(found)
        for found in re.findall(r'<code role="cell"[^>]* title="([^"]*)"', text)
    ]


# The page


def test_an_empty_list_shows_how_to_produce_a_first_event(demo: Client, settings: Settings) -> None:
    settings.EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS = ["kafka.example:9092"]
    settings.EVENTVIZ_KAFKA_TOPICS = ["shop-*"]

    for address in ("/flows/", "/tail/"):
        text = page(demo, address)
        assert "Waiting for a first event" in text
        assert "kcat -P -b kafka.example:9092 -t shop-eventviz-test" in text
        assert "Sending makes the topic" in text
        assert "Ingest is not running" in text


def test_the_example_says_that_a_named_topic_is_in_use(demo: Client, settings: Settings) -> None:
    settings.EVENTVIZ_KAFKA_TOPICS = ["payments"]

    text = page(demo, "/flows/")

    assert "-t payments" in text
    assert "Sending makes the topic" not in text
    assert "whoever else reads it gets the example too" in text


def test_a_row_says_what_happened(demo: Client) -> None:
    write(
        record("1", "OrderPlaced", flow="o-1"),
        record("2", "PaymentFailed", flow="o-1", cause="1", service="payment-service"),
    )

    text = page(demo, "/flows/")

    assert shown(text) == ["o-1"]
    assert 'href="/flows/o-1"' in text
    assert "PaymentFailed" in text
    assert 'data-state="failed"' in text


def test_records_without_an_envelope_are_counted_only_where_there_are_some(demo: Client) -> None:
    write(record("1", flow="o-1"))
    before = page(demo, "/flows/")

    write(record("2", value=b"just a line of text", key=None, service=""))

    assert "total-plain" not in before
    after = page(demo, "/flows/")
    assert 'id="total-plain" href="/flows/?state=plain"' in after
    assert 'data-state="plain"' in after
    assert len(shown(page(demo, "/flows/?state=plain"))) == 1


def test_rows_come_newest_first_and_page_by_cursor(demo: Client) -> None:
    write(*(record(str(n), flow=f"o-{n:03}", at_ms=NOW_MS + n) for n in range(60)))

    first = page(demo, "/flows/")
    older = html.unescape(re.findall(r'data-older href="([^"]*)"', first)[0])
    second = page(demo, older)

    assert shown(first) == [f"o-{n:03}" for n in range(59, 9, -1)]
    assert shown(second) == [f"o-{n:03}" for n in range(9, -1, -1)]
    assert "Back to the newest" in second
    assert "ws-connect" not in second


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["late", "failed", "done"]),
        ("state=failed", ["failed"]),
        ("state=done", ["done"]),
        ("type=OrderPlaced", ["failed", "done"]),
        ("service=payment-service", ["failed"]),
        ("mark=missing_cause", ["late"]),
        ("since=30d&state=done", ["done"]),
        ("until=2020-01-01", []),
        ("type=OrderPlaced&service=payment-service", []),
    ],
)
def test_filters_stand_in_the_address(demo: Client, query: str, ids: list[str]) -> None:
    write(
        record("1", "OrderPlaced", flow="done", at_ms=NOW_MS),
        record("2", "OrderCompleted", flow="done", at_ms=NOW_MS),
        record("3", "OrderPlaced", flow="failed", at_ms=NOW_MS + 1),
        record("4", "PaymentFailed", flow="failed", service="payment-service", at_ms=NOW_MS + 1),
        record("5", "Shipped", flow="late", cause="nobody", at_ms=NOW_MS + 2),
    )

    text = page(demo, f"/flows/?{query}")

    assert shown(text) == ids
    assert ("No flow matches" in text) or query == ""
    assert ("clear all" in text) == bool(query)


def test_it_says_how_far_a_filter_looked(demo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_reading, "MAX_TESTED", 5)
    noon_ms = 1_790_000_000_000
    write(*(record(str(n), flow=f"o-{n}", at_ms=noon_ms + n * 60_000) for n in range(8)))

    text = page(demo, "/flows/?type=Nothing")

    assert "Tested 5 flows back to" in text
    assert f">{iso(noon_ms + 3 * 60_000)[11:19]}</time> UTC" in text
    assert "Only a part was tested so far" in text
    assert "continue →" in text


def test_an_active_filter_can_be_taken_off(demo: Client) -> None:
    text = page(demo, "/flows/?type=A%26B&mark=duplicate")

    assert 'href="/flows/?mark=duplicate" title="Take this filter off: A&amp;B"' in text
    assert 'href="/flows/?type=A%26B" title="Take this filter off: duplicate"' in text


@pytest.mark.parametrize("address", ["/flows/?cursor=nonsense", "/flows/?since=yesterday"])
def test_a_wrong_address_is_said(demo: Client, address: str) -> None:
    response = demo.get(address)

    assert response.status_code == 400
    assert b"This address is not understood" in response.content


def test_htmx_gets_the_list_alone(demo: Client) -> None:
    write(record("1", flow="o-1"))

    response = demo.get("/flows/", headers={"HX-Request": "true"})

    assert response.content.decode().lstrip().startswith('<div class="list" id="flow-list">')
    assert "HX-Request" in response["Vary"]


def test_a_page_costs_a_fixed_number_of_queries(
    demo: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    write(*(record(str(n), flow=f"o-{n}") for n in range(40)))
    page(demo, "/flows/")

    with django_assert_max_num_queries(15):
        page(demo, "/flows/")


# What the sockets send


def test_a_frame_of_flows_holds_rows_for_the_page_to_take(demo: Client) -> None:
    write(record("1", flow="o-1"), record("2", "OrderCompleted", flow="o-2"))
    asked = filters.parse({"state": "done"})
    lines = reading.flow_lines([1, 2])

    rows = SafeString("".join(present.draw(lines, now_ms=NOW_MS, wanted=asked.filter(NOW_MS))))
    frame = present.frame(rows, present.totals_fragment(asked, now_ms=NOW_MS))

    assert frame.startswith('<div id="flow-updates" hx-swap-oob="true" hidden>')
    assert len(re.findall(r'<a class="flow-row', frame)) == 2
    assert len(re.findall(r"data-away", frame)) == 1
    assert 'id="flow-totals"' in frame
    assert "data-whole" in present.state(asked, now_ms=NOW_MS)
