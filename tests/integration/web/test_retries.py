"""The pages of retries through Django's client: go, run, audit, and who may not."""

from __future__ import annotations

import re
import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.integration.log import record, write
from tests.integration.pages import page
from tests.integration.people import browser_of
from tests.integration.web.retries import dead, start
from tracing.domain.failure import group_key
from tracing.models import AuditEntry, DeadLetter, RetryItem, RetryRun
from tracing.retry import runs
from tracing.web.retries import present

pytestmark = pytest.mark.usefixtures("strict_templates")


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
    browser = browser_of(viewer, checks_forms=True)
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
    plain = browser_of(viewer)
    form = {"flow": "o-1", "reason": "x", "rate": "1", "token": "t"}
    for client in (browser, plain):
        assert client.post("/retries/", form).status_code == 403
        for what in ("pause", "resume", "cancel"):
            assert client.post(f"/retries/{run.id}/{what}").status_code == 403
    run.refresh_from_db()
    assert (run.state, RetryRun.objects.count()) == ("planned", 1)


def test_an_operator_without_the_forms_token_is_refused(operator: Client) -> None:
    browser = browser_of(User.objects.get(username="grace"), checks_forms=True)

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
