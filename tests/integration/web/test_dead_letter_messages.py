"""A dead letter, its flow, and what waits for another attempt."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.integration.log import NOW_MS, failed, record, write
from tests.integration.web.dead_letters import key, text
from tracing.models import DeadLetter

pytestmark = pytest.mark.django_db


def test_a_message_tells_failure_way_and_flow(operator: Client) -> None:
    stack = b"Traceback:\n  <script>alert(1)</script>\nKeyError: 'P-1'"
    write(
        record("e1", flow="flow-e1", at_ms=NOW_MS - 50),
        record("e2", "StockReserved", flow="flow-e1", cause="e1", service="inventory"),
        record("e3", "StockReserved", flow="flow-e1", cause="e1", service="inventory"),
    )
    write(failed("e1", topic="orders.retry.1", at_ms=NOW_MS - 9))
    write(failed("e1", ("eventviz-failure-stack", stack), ("x", None), ("x", b"2")))
    one = DeadLetter.objects.get()

    page = operator.get(f"/dead-letters/{key()}/{one.record}").content.decode()

    said = text(page)
    assert "no product P-1" in said
    assert "&lt;script&gt;alert(1)" in page
    assert "orders[0]@0" in said
    assert "retry topic" in said
    assert "dead letter this record" in said
    assert "processed twice" in said
    assert "left-at" in page
    assert 'class="graph"' in page
    assert f"/retries/new?record={one.record}" in page


def test_the_flow_leads_to_the_dead_letter(reader: Client) -> None:
    write(record("e1", flow="flow-e1", at_ms=NOW_MS - 50), failed("e1"))

    page = reader.get("/flows/flow-e1").content.decode()

    assert page.count(f'href="/dead-letters/{key()}/{DeadLetter.objects.get().record}"') == 2
    assert "Order was placed, but inventory gave it up: no product P-1." in text(page)
    assert 'aria-label="OrderPlaced, order-service, 0 ms, dead letter"' in page


def test_the_flow_names_every_consumer_that_gave_up(reader: Client) -> None:
    write(record("e1", flow="flow-e1", at_ms=NOW_MS - 50), failed("e1", at_ms=NOW_MS))
    write(failed("e1", topic="orders.retry", consumer="email", at_ms=NOW_MS + 10))
    write(failed("e1", number=2, consumer="email", at_ms=NOW_MS + 20))

    page = text(reader.get("/flows/flow-e1").content.decode())

    said = "but inventory gave it up: no product P-1; then email gave it up: no product P-2."
    assert f"Order was placed, {said}" in page
    assert "dead letter · email →" in page
    assert "dead letter · inventory →" in page


def test_a_dead_letter_that_was_sent_on_no_longer_marks_its_event(reader: Client) -> None:
    write(record("e1", flow="flow-e1", at_ms=NOW_MS - 50), failed("e1"))
    again = ("eventviz-retry-id", b"r-1")
    write(record("e1", flow="flow-e1", headers=(again,), at_ms=NOW_MS + 60_000))

    page = reader.get("/flows/flow-e1").content.decode()

    assert "gave it up" not in page
    assert "dead letter, over" in text(page)


def test_what_waits_shows_attempt_and_when(reader: Client) -> None:
    due = (
        ("eventviz-failure-max-attempts", b"4"),
        ("eventviz-failure-due", str(NOW_MS + 90_000).encode()),
    )
    write(failed("e1", *due, topic="orders.retry.1", at_ms=NOW_MS))

    assert "3 of 4" in text(reader.get("/dead-letters/in-retry").content.decode())

    write(failed("e1", at_ms=NOW_MS + 1))
    assert "Nothing waits" in reader.get("/dead-letters/in-retry").content.decode()


def test_a_copy_whose_event_went_on_waits_no_longer(reader: Client) -> None:
    write(failed("e1", topic="orders.retry.1"))
    write(record("e2", "StockReserved", flow="flow-e1", cause="e1", at_ms=NOW_MS + 5))

    assert "Nothing waits" in reader.get("/dead-letters/in-retry").content.decode()
