"""Messages that nobody wants to retry are put aside."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.integration.log import record, write
from tests.integration.pages import page
from tests.integration.web.retries import dead
from tracing.domain.failure import group_key
from tracing.models import AuditEntry, DeadLetter, Discard, RetryTally

pytestmark = pytest.mark.usefixtures("strict_templates")


def test_what_was_selected_is_put_aside_instead(operator: Client) -> None:
    write(dead("e-1"), dead("e-2"))
    numbers = [str(letter.record) for letter in DeadLetter.objects.all()]

    text = page(operator, "/retries/new?" + "&".join(f"record={one}" for one in numbers))
    form = {"record": numbers, "reason": "test orders", "kind": "retry", "rate": "5"}
    operator.post("/retries/discard", form)

    assert 'formaction="/retries/discard"' in text
    assert Discard.objects.filter(reason="test orders").count() == 2


def test_dead_letters_are_put_aside_and_restored(operator: Client) -> None:
    write(record("e-1"), dead("e-1"), dead("e-2"))
    letter = DeadLetter.objects.get(event_id="e-1")
    form = {"record": str(letter.record), "reason": "a test order", "back": "/dead-letters/"}

    aside = operator.post("/retries/discard", form)
    operator.post("/retries/discard", form)
    plan = page(operator, f"/retries/new?group={group_key(letter.group_id)}")
    tally = RetryTally.objects.get()

    assert aside["Location"] == "/dead-letters/"
    assert "1</b> left out: somebody put it aside" in plan
    assert "Retry 1 message" in plan
    assert tally.discarded == 1
    assert operator.post("/retries/discard", {**form, "reason": ""}).status_code == 422
    operator.post("/retries/restore", {**form, "back": "//evil.example"})
    assert "Retry 2 messages" in page(operator, f"/retries/new?group={group_key(letter.group_id)}")
    what = AuditEntry.objects.order_by("id").values_list("what", flat=True)
    assert list(what) == ["discard", "restore"]
