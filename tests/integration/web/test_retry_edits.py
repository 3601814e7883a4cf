"""A value that is edited before it is sent again."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.integration.log import record, write
from tests.integration.pages import page
from tests.integration.people import browser_of
from tracing.models import AuditEntry, Discard, Event, RetryItem, RetryRun

pytestmark = pytest.mark.usefixtures("strict_templates")


def edited(browser: Client, text: str, **fields: str) -> tuple[int, str]:
    """Send the editor's form; return the status and the page, or where it leads."""
    number = str(Event.objects.get(event_id="e-1").record)
    form = {"record": number, "text": text, "reason": "a typing error", "token": "t", **fields}
    response = browser.post("/retries/edit", form)
    return response.status_code, response.get("Location") or response.content.decode()


def test_an_edited_value_makes_a_run_that_keeps_the_difference(operator: Client) -> None:
    write(record("e-1", value=b'{"eventId":"e-1","total":"oops"}'))
    number = Event.objects.get(event_id="e-1").record

    shown = page(operator, f"/retries/edit?record={number}")
    status, where = edited(operator, '{\r\n  "eventId": "e-1",\r\n  "total": 5\r\n}')

    assert "&quot;total&quot;: &quot;oops&quot;" in shown
    assert status == 302
    item = RetryItem.objects.get()
    assert bytes(item.edited or b"") == b'{"eventId":"e-1","total":5}'
    assert "+  &quot;total&quot;: 5" in page(operator, where), RetryItem.objects.get().difference
    assert AuditEntry.objects.get().what == "edit and retry"


def test_nothing_is_lost_on_a_bad_edit(operator: Client) -> None:
    write(record("e-1", value=b'{"eventId":"e-1"}'))

    status, text = edited(operator, '{\n  "total": oops\n}')
    no_reason = edited(operator, "{}", reason=" ")

    assert status == 422
    assert "line 2, column 12" in text
    assert 'data-line="2"' in text
    assert "&quot;total&quot;: oops" in text
    assert no_reason[0] == 422
    assert "Say why" in no_reason[1]
    assert not RetryRun.objects.exists()


def test_a_viewer_neither_edits_nor_puts_aside(viewer: User) -> None:
    write(record("e-1"), record("d-1", topic="orders.dlq"))
    browser = browser_of(viewer)

    assert edited(browser, "{}")[0] == 403
    for what in ("discard", "restore"):
        form = {"record": "1", "reason": "x"}
        assert browser.post(f"/retries/{what}", form).status_code == 403
    assert not Discard.objects.exists()
