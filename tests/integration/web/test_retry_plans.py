"""The plan of a retry: what would be sent before anything is."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from tests.integration.log import record, write
from tests.integration.pages import page
from tests.integration.web.retries import dead
from tracing.domain.failure import group_key
from tracing.models import DeadLetterGroup, Event, RetryRun

pytestmark = pytest.mark.usefixtures("strict_templates")
HOSTILE = '"><script>alert(1)</script>'


def test_the_plan_says_what_would_be_sent_before_anything_is(operator: Client) -> None:
    write(record("e-1"), record("e-2", cause="e-1"), record("d-1", topic="orders.dlq"))

    text = page(operator, "/retries/new?kind=replay&flow=o-1")

    assert "<b>2</b>" in text
    assert "<code>orders</code>" in text
    assert "was processed already" in text
    assert "Consumers that recognise an event id will skip it" in text
    assert "orders.dlq is not among the topics that may be sent to" in text
    assert "Replay 2 messages" in text
    assert not RetryRun.objects.exists()


def test_a_record_a_key_and_a_time_range_have_plans(operator: Client) -> None:
    write(record("e-1", at_ms=1_000), record("e-2", at_ms=2_000))
    number = Event.objects.get(event_id="e-2").record

    assert "Replay 1 record" in page(operator, f"/retries/new?record={number}")
    assert "Replay key ORD-1" in page(operator, "/retries/new?key=ORD-1")
    address = "/retries/new?topic=orders&from=1970-01-01T00:00:02Z"
    assert "Replay 1 message" in page(operator, address)
    assert "it selects no stored record" in page(operator, "/retries/new?flow=nothing")


def test_the_plan_of_one_record_leads_to_its_flow_key_and_time(operator: Client) -> None:
    write(record("e-1", at_ms=1_000), record("e-2", at_ms=2_000))
    number = Event.objects.get(event_id="e-2").record

    text = page(operator, f"/retries/new?kind=replay&record={number}")

    links = re.findall(r'href="(/retries/new[^"]+)"', text)
    assert len(links) == 3
    counts = [re.search(r"Replay (\d) message", page(operator, unescape(at))) for at in links]
    assert [found and found[1] for found in counts] == ["2", "2", "1"]


def test_another_topic_is_planned_before_it_is_sent_to(operator: Client) -> None:
    # A dead letter of a connector whose headers are off names no source.
    write(record("e-1", topic="connect-errors-dlq"), record("e-2", topic="orders"))
    number = Event.objects.get(event_id="e-1").record

    nowhere = page(operator, f"/retries/new?kind=retry&record={number}")
    chosen = page(operator, f"/retries/new?kind=retry&record={number}&target=orders")

    assert "is not among the topics that may be sent to" in nowhere
    assert "disabled" in nowhere
    assert "Retry 1 message" in chosen
    assert '<input type="hidden" name="target" value="orders">' in chosen


@pytest.mark.parametrize(
    "query", ["", "record=x", "record=99999999999999999999", "topic=a&from=nonsense"]
)
def test_a_plan_of_nothing_says_so(operator: Client, query: str) -> None:
    response = operator.get(f"/retries/new?{query}")

    assert response.status_code == 400


def test_strangers_text_stays_text(operator: Client) -> None:
    write(record(HOSTILE, HOSTILE, flow=HOSTILE))

    text = page(operator, f"/retries/new?flow={HOSTILE}")

    assert "<script>alert" not in text


def test_a_group_of_dead_letters_has_a_plan(operator: Client) -> None:
    write(record("e-1"), dead("e-1"), dead("e-2"))
    group = DeadLetterGroup.objects.get()

    by_group = page(operator, f"/retries/new?group={group_key(group.id)}")
    by_filter = page(operator, "/retries/new?filter=exception%3Dcom.acme.NoStock")

    for text in (by_group, by_filter):
        assert "Retry 2 messages" in text
        assert "<code>orders</code>" in text
    assert operator.get("/retries/new?filter=typo%3D1").status_code == 400
