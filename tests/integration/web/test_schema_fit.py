"""An event's inspector beside its schema: the field that breaks it, a version nobody registered."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from msgspec import structs
from pytest_django import DjangoAssertNumQueries

from tests.integration.log import record, write
from tests.integration.test_wire import GOOD, V2, avro, check_all, placed, register
from tracing.domain.record import Record
from tracing.models import Event, Flow, RetryRun
from tracing.projections import reading
from tracing.schemas.unregistered import flows_that_name_unregistered

pytestmark = pytest.mark.django_db


def page(browser: Client, number: int) -> str:
    response = browser.get(f"/flows/f-{number}", {"event": f"e-{number}"})
    assert response.status_code == 200
    return response.content.decode()


def test_the_inspector_marks_the_field_and_says_what_is_wrong(demo: Client) -> None:
    register()
    write(
        placed(1, 1, {"orderId": "1", "amount": "<b>much</b>", "vip": 1}),
        placed(2, 2, GOOD),
        placed(3, 7, GOOD),
    )

    broken, good, unknown = (page(demo, number) for number in (1, 2, 3))

    assert '<span class="jk wrong-field">&quot;amount&quot;</span>' in broken
    assert "<code>amount</code> is text instead of a number" in broken
    assert "<code>vip</code> is not in the schema" in broken
    assert "OrderPlaced version 1" in broken
    assert "wrong-field" not in good
    assert "the payload fits" in good
    assert "unknown schema version" in unknown
    assert "unknown schema version" not in good + broken
    # On the card, in the graph and in the list below it.
    assert unknown.count(">unknown version<") == 2
    assert "unknown version" not in good + broken


def test_lists_mark_what_names_a_version_that_nobody_registered(demo: Client) -> None:
    register()
    write(placed(1, 1, GOOD), placed(2, 7, GOOD), record("x", "Other", flow="f-9"))

    for address in ("/flows/", "/tail/"):
        shown = demo.get(address).content.decode()
        assert shown.count(">unknown version<") == 1, address
        assert shown.index("/flows/f-2") < shown.index(">unknown version<"), address

    register(
        "OrderPlaced", *[[*V2, {"name": f"f{n}", "type": "int", "default": 0}] for n in range(5)]
    )
    for address in ("/flows/", "/tail/"):
        assert "unknown version" not in demo.get(address).content.decode()


def test_a_list_asks_for_versions_only_where_there_are_subjects(
    demo: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    write(placed(1, 7, GOOD), placed(2, 7, GOOD))
    lines = reading.flow_lines(Flow.objects.values_list("id", flat=True))

    with django_assert_max_num_queries(1):
        assert flows_that_name_unregistered(lines) == frozenset()
    register()
    with django_assert_max_num_queries(8):
        assert flows_that_name_unregistered(lines) == {line.id for line in lines}


def dead(number: int, payload: object, version: int = 1) -> Record:
    failure = (
        ("eventviz-failure-topic", b"orders"),
        ("eventviz-failure-exception", b"BadAmountError"),
    )
    one = placed(number, version, payload)
    return structs.replace(one, topic="orders.dlq", headers=(*one.headers, *failure))


def number_of(event: int) -> int:
    return Event.objects.get(event_id=f"e-{event}").record


def test_a_dead_letter_shows_the_offending_field(demo: Client) -> None:
    register()
    write(dead(1, GOOD | {"amount": "much"}))
    group = demo.get("/api/dead-letters").json()["groups"][0]["id"]

    text = demo.get(f"/dead-letters/{group}/{number_of(1)}").content.decode()

    assert "<code>amount</code> is text instead of a number" in text
    assert '<span class="jk wrong-field">&quot;amount&quot;</span>' in text


def test_a_plan_says_which_payloads_fit_no_schema_and_leads_to_mend_them(demo: Client) -> None:
    register()
    write(dead(1, GOOD | {"amount": "much"}), dead(2, GOOD), dead(3, GOOD, version=9))
    write(placed(4, 1, GOOD))
    asked = {"record": [number_of(1), number_of(2), number_of(3)]}

    text = demo.get("/retries/new", asked).content.decode()

    assert "<b>2</b> fit no schema that is registered for them" in text
    assert text.count('href="/retries/edit?record=') == 2
    assert "amount is text instead of a number" in text
    assert "unknown schema version" in text


def test_an_edit_that_breaks_the_schema_is_refused_until_somebody_insists(operator: Client) -> None:
    register()
    write(dead(1, GOOD | {"amount": "much"}), placed(2, 1, GOOD))
    record = number_of(1)
    before = operator.get("/retries/edit", {"record": record})
    text = before.context["text"]
    assert "is text instead of a number" in before.content.decode()

    def send(value: str, **more: str) -> Any:
        given = {"record": record, "text": value, "reason": "mended", "token": value[:60]} | more
        return operator.post("/retries/edit", given)

    refused = send(text.replace('"much"', "true"))
    assert refused.status_code == 422
    assert "It breaks its schema" in refused.content.decode()
    assert "is true or false instead of a number" in refused.content.decode()
    assert not RetryRun.objects.exists()

    assert send(text.replace('"much"', "3.5"), token="a").status_code == 302
    assert RetryRun.objects.count() == 1


def test_an_edit_is_checked_while_it_is_written_and_nothing_is_sent(operator: Client) -> None:
    register()
    write(dead(1, GOOD | {"amount": "much"}), placed(2, 1, GOOD))
    record = number_of(1)
    page = operator.get("/retries/edit", {"record": record})
    assert 'hx-post="/retries/edit/check"' in page.content.decode()
    text = page.context["text"]

    def said(value: str, **more: str) -> str:
        given = {"record": record, "text": value, "reason": ""} | more
        answer = operator.post("/retries/edit/check", given, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())

    wrong = said(text, anyway="1")
    assert "<code>amount</code> is text instead of a number" in wrong
    assert 'name="anyway" value="1" checked' in wrong
    mended = said(text.replace('"much"', "3.5"))
    assert "It fits OrderPlaced version 1." in mended
    assert "instead of" not in mended
    assert "Not compared with its schema: line 1" in said("{")
    assert "Nobody registered" in said(text.replace('"schemaVersion": 1', '"schemaVersion": 9'))
    assert not RetryRun.objects.exists()


def test_a_viewer_may_not_check_an_edit(viewer: User, client: Client) -> None:
    write(dead(1, GOOD))
    client.force_login(viewer)

    given = {"record": number_of(1), "text": "{}"}

    assert client.post("/retries/edit/check", given).status_code == 403


def test_somebody_may_send_what_breaks_its_schema(operator: Client) -> None:
    register()
    write(dead(1, GOOD | {"amount": "much"}), placed(2, 1, GOOD))
    text = operator.get("/retries/edit", {"record": number_of(1)}).context["text"]
    given = {"record": number_of(1), "text": text, "reason": "as it is", "anyway": "1"}

    assert operator.post("/retries/edit", given).status_code == 302


def ask(browser: Client, **body: Any) -> Any:
    return browser.post("/api/schemas/check", body, content_type="application/json")


def test_scripts_ask_who_would_break_and_what_is_on_the_wire(operator: Client) -> None:
    register()
    write(placed(1, 1, GOOD), placed(2, 2, GOOD | {"tax": 1}))
    check_all()
    needed = avro([*V2, {"name": "tax", "type": "int"}])

    told = ask(operator, type="OrderPlaced", schema=needed).json()
    wire = operator.get("/api/schemas/wire", {"type": "OrderPlaced"}).json()

    assert (told["looked"], told["failing"], told["services"]) == (2, 1, [["web", 1, 2]])
    assert [(one["path"], one["event_id"]) for one in told["findings"]] == [("tax", "e-1")]
    assert [(one["version"], one["records"]) for one in wire["versions"]] == [("1", 1), ("2", 1)]
    assert [one["path"] for one in wire["violations"]] == ["tax"]


def test_a_script_is_told_what_is_wrong_with_its_question(operator: Client) -> None:
    assert ask(operator, type="OrderPlaced", schema="{").status_code == 400
    assert ask(operator, type="OrderPlaced").status_code == 400
    assert ask(operator, type="A", schema="{}", schema_type="JSON", limit=0).status_code == 400
    assert operator.get("/api/schemas/wire").status_code == 400
    assert operator.get("/api/schemas/check").status_code == 405
    assert ask(Client(), type="OrderPlaced", schema="{}").status_code in {401, 403}
