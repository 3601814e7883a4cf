"""The pages of retries through Django's client: plan, go, run, audit, and who may not."""

from __future__ import annotations

import re
import uuid
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.integration.log import record, write
from tests.integration.pages import page
from tracing.domain.failure import group_key
from tracing.models import (
    AuditEntry,
    DeadLetter,
    DeadLetterGroup,
    Discard,
    Event,
    RetryItem,
    RetryRun,
    RetryTally,
)
from tracing.retry import runs
from tracing.web.retries import present

pytestmark = pytest.mark.usefixtures("strict_templates")
HOSTILE = '"><script>alert(1)</script>'


def start(browser: Client, **fields: str) -> RetryRun:
    """Start a run by the form and return it."""
    form = {"kind": "replay", "flow": "o-1", "reason": "it was down", "rate": "5", "token": "t"}
    response = browser.post("/retries/", {**form, **fields})
    assert response.status_code == 302, response.content.decode()
    return RetryRun.objects.get(id=response["Location"].rpartition("/")[2])


# The plan


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


def test_what_was_selected_is_put_aside_instead(operator: Client) -> None:
    write(dead("e-1"), dead("e-2"))
    numbers = [str(letter.record) for letter in DeadLetter.objects.all()]

    text = page(operator, "/retries/new?" + "&".join(f"record={one}" for one in numbers))
    form = {"record": numbers, "reason": "test orders", "kind": "retry", "rate": "5"}
    operator.post("/retries/discard", form)

    assert 'formaction="/retries/discard"' in text
    assert Discard.objects.filter(reason="test orders").count() == 2


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


# Going


def test_a_run_is_started_once_however_often_the_form_is_sent(operator: Client) -> None:
    write(record("e-1"))

    first, second = start(operator), start(operator)

    assert first == second
    assert RetryRun.objects.count() == 1
    assert (first.asked_by, first.reason, first.rate_per_s) == ("grace", "it was down", 5.0)


@pytest.mark.parametrize("field", ["reason", "rate"])
def test_nothing_is_lost_on_bad_input(operator: Client, field: str) -> None:
    write(record("e-1"))
    form = {"kind": "replay", "flow": "o-1", "reason": "why", "rate": "7", "token": "my-token"}

    response = operator.post("/retries/", {**form, field: "" if field == "reason" else "fast"})

    text = response.content.decode()
    assert response.status_code == 422
    assert 'value="my-token"' in text
    assert ('value="7"' in text) is (field == "reason")
    assert "aria-invalid" in text
    assert not RetryRun.objects.exists()


def test_a_viewer_sees_no_button_and_a_forged_post_is_refused(viewer: User) -> None:
    write(record("e-1"))
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(viewer)
    run = RetryRun.objects.create(
        kind="replay",
        asked_by="x",
        asked_at="2026-01-01T00:00:00Z",
        reason="x",
        rate_per_s=1,
        selection={"kind": "flow", "text": "o-1"},
        until_position=1,
        token="x",
    )

    assert "Replay…" not in page(browser, "/flows/o-1")
    assert '<form class="panel plan-form"' not in page(browser, "/retries/new?flow=o-1")
    assert "Cancel" not in page(browser, f"/retries/{run.id}")
    plain = Client()
    plain.force_login(viewer)
    form = {"flow": "o-1", "reason": "x", "rate": "1", "token": "t"}
    for client in (browser, plain):
        assert client.post("/retries/", form).status_code == 403
        for what in ("pause", "resume", "cancel"):
            assert client.post(f"/retries/{run.id}/{what}").status_code == 403
    run.refresh_from_db()
    assert (run.state, RetryRun.objects.count()) == ("planned", 1)


def test_an_operator_without_the_forms_token_is_refused(operator: Client) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(username="grace"))

    response = browser.post("/retries/", {"flow": "o-1", "reason": "x", "token": "t"})

    assert response.status_code == 403


# Runs


def test_a_run_is_shown_with_a_result_for_each_message(operator: Client) -> None:
    write(record("e-1"), record("e-2"), record("e-3"))
    run = start(operator)
    runs.list_some(run)
    ids = list(RetryItem.objects.order_by("n").values_list("id", flat=True))
    RetryItem.objects.filter(id=ids[0]).update(state="processed")
    RetryItem.objects.filter(id=ids[1]).update(state="failed_again")
    runs.refresh([run.id])

    text = page(operator, f"/retries/{run.id}")
    failed = page(operator, f"/retries/{run.id}?state=failed_again")

    assert "1 failed again" in text
    assert 'data-state="running"' in text
    assert text.count("item-row row") == 3
    assert failed.count("item-row row") == 1
    assert "2 sent" in text
    assert "Replay · flow o-1" in page(operator, "/retries/")


def test_it_is_paused_resumed_and_cancelled_by_buttons(operator: Client) -> None:
    write(record("e-1"))
    run = start(operator)
    runs.list_some(run)

    states = []
    for what in ("pause", "resume", "cancel", "cancel"):
        assert operator.post(f"/retries/{run.id}/{what}").status_code == 302
        run.refresh_from_db()
        states.append(run.state)

    assert states == ["paused", "running", "cancelled", "cancelled"]
    assert AuditEntry.objects.filter(what="cancel").count() == 1


@pytest.mark.parametrize(
    ("states", "word", "tone"),
    [
        (("processed", "processed", "processed"), "done", "ok"),
        (("processed", "processed", "skipped"), "done", "ok"),
        (("failed_again", "failed_again", "skipped"), "failed again", "fail"),
        (("processed", "unconfirmed", "failed_again"), "partly failed", "fail"),
        (("processed", "processed", "unconfirmed"), "unconfirmed", "late"),
        (("skipped", "skipped", "skipped"), "nothing sent", "back"),
    ],
)
def test_a_run_that_ended_is_done_only_if_what_it_sent_came_through(
    operator: Client, states: tuple[str, ...], word: str, tone: str
) -> None:
    write(record("e-1"), record("e-2"), record("e-3"))
    run = start(operator)
    runs.list_some(run)
    for item, state in zip(RetryItem.objects.order_by("n"), states, strict=True):
        RetryItem.objects.filter(id=item.id).update(state=state)
    runs.refresh([run.id])

    shown = page(operator, f"/retries/{run.id}")

    chip = re.search(r'<span class="chip (\w+)" title="[^"]*"><span[^>]*>.</span> ([\w ]+)<', shown)
    assert chip
    assert chip.groups() == (tone, word)
    assert f'<span class="sym {tone}" title="{word}: ' in page(operator, "/retries/")


def test_what_failed_again_leads_to_its_new_dead_letters(operator: Client) -> None:
    write(record("e-1"), dead("e-1"), dead("e-2"))
    letters = list(DeadLetter.objects.order_by("record"))
    run = start(operator)
    runs.list_some(run)
    address = f"/dead-letters/{group_key(letters[0].group_id)}"

    RetryItem.objects.update(state="failed_again", again=letters[0].record)
    runs.refresh([run.id])
    one = page(operator, f"/retries/{run.id}")
    first = RetryItem.objects.order_by("n")[0]
    RetryItem.objects.filter(id=first.id).update(again=letters[1].record)
    several = page(operator, f"/retries/{run.id}")

    assert f'href="{address}/{letters[0].record}">its new dead letter' in one
    assert "back as orders-dlt[0]@0" in one
    assert f'href="{address}">NoStock' in several


def test_what_is_all_sent_is_neither_paused_nor_cancelled(operator: Client) -> None:
    write(record("e-1"))
    run = start(operator)
    assert "data-left" in page(operator, f"/retries/{run.id}")
    runs.list_some(run)
    assert "data-left" in page(operator, f"/retries/{run.id}")
    RetryItem.objects.update(state="sent")
    runs.refresh([run.id])

    for what in ("pause", "cancel"):
        operator.post(f"/retries/{run.id}/{what}")
        run.refresh_from_db()
        assert run.state == "running"
    text = page(operator, f"/retries/{run.id}")
    assert 'data-state="following"' in text
    assert "data-left" not in text
    assert AuditEntry.objects.exclude(what="replay").count() == 0


def test_an_open_run_is_in_the_navigation(operator: Client) -> None:
    write(record("e-1"))
    assert "Replay 0%" not in page(operator, "/flows/")

    start(operator)

    assert "Replay 0%" in page(operator, "/flows/")


def test_the_live_part_is_the_pages_own(operator: Client) -> None:
    write(record("e-1"))
    run = start(operator)

    fragment = present.detail_fragment(run.id, "", 0)

    assert 'hx-swap-oob="true"' in fragment
    assert "csrf" not in fragment
    assert present.detail_fragment(uuid.uuid4(), "", 0) == ""
    assert 'hx-swap-oob="true"' in present.overview_fragment()


def test_a_run_that_does_not_exist_is_not_found(operator: Client) -> None:
    assert operator.get(f"/retries/{uuid.uuid4()}").status_code == 404
    assert operator.post(f"/retries/{uuid.uuid4()}/cancel").status_code == 404


# The audit


def test_the_audit_says_who_did_what_and_why(operator: Client) -> None:
    write(record("e-1"))
    run = start(operator, reason="ticket OPS-7")
    operator.post(f"/retries/{run.id}/cancel")

    text = page(operator, "/audit/")

    assert "ticket OPS-7" in text
    assert text.count("audit-row row") == 2
    assert page(operator, "/audit/?what=cancel").count("audit-row row") == 1
    assert "No entries" in page(operator, "/audit/?who=ada")


# Editing


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
    browser = Client()
    browser.force_login(viewer)

    assert edited(browser, "{}")[0] == 403
    for what in ("discard", "restore"):
        form = {"record": "1", "reason": "x"}
        assert browser.post(f"/retries/{what}", form).status_code == 403
    assert not Discard.objects.exists()


# Dead letters


def dead(event_id: str, *headers: tuple[str, bytes | None], topic: str = "orders") -> Any:
    """Return a dead letter of the topic."""
    said = (
        ("kafka_dlt-original-topic", topic.encode()),
        ("kafka_dlt-exception-fqcn", b"com.acme.NoStock"),
        ("kafka_dlt-exception-message", b"no stock"),
    )
    return record(event_id, topic=f"{topic}-dlt", headers=(*said, *headers))


def test_a_group_of_dead_letters_has_a_plan(operator: Client) -> None:
    write(record("e-1"), dead("e-1"), dead("e-2"))
    group = DeadLetterGroup.objects.get()

    by_group = page(operator, f"/retries/new?group={group_key(group.id)}")
    by_filter = page(operator, "/retries/new?filter=exception%3Dcom.acme.NoStock")

    for text in (by_group, by_filter):
        assert "Retry 2 messages" in text
        assert "<code>orders</code>" in text
    assert operator.get("/retries/new?filter=typo%3D1").status_code == 400


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
