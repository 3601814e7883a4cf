"""Schemas are registered, checked, graded and deleted: what is said, what is kept."""

from __future__ import annotations

import json
from html import unescape

import pytest
from django.test import Client
from pytest_django import Settings

from tests.integration.log import record, write
from tests.integration.web.schemas import avro, edited, page, registered
from tracing.models import AuditEntry, Subject, SubjectVersion
from tracing.schemas.current import current_registry
from tracing.schemas.registry import Reference

pytestmark = pytest.mark.usefixtures("strict_templates")


# Registering


def test_an_operator_registers_a_version_and_it_is_audited(operator: Client) -> None:
    response = operator.post("/schemas/register", edited("orders", avro("id"), save="1"))

    assert response.status_code == 302
    assert response["Location"] == "/schemas/subject/orders?new=1"
    version = SubjectVersion.objects.get()
    assert version.registered_by == "grace"
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.what, entry.target) == (
        "grace",
        "schema registered",
        "orders version 1",
    )


def test_checking_stores_nothing(operator: Client) -> None:
    registered("orders", avro("id"))

    text = unescape(
        operator.post(
            "/schemas/register",
            edited("orders", avro("id", "currency=USD")),
            headers={"HX-Request": "true"},
        ).content.decode()
    )

    assert "Compatible under BACKWARD" in text
    assert "added, with default USD" in text
    assert SubjectVersion.objects.count() == 1


def test_an_incompatible_version_is_refused_with_the_reason_and_nothing_is_lost(
    operator: Client,
) -> None:
    registered("orders", avro("id"))
    text = avro("id", "shippingAddress")

    response = operator.post("/schemas/register", edited("orders", text, save="1"))

    said = unescape(response.content.decode())
    assert response.status_code == 422
    assert "Incompatible under BACKWARD" in said
    assert "<code>shippingAddress</code> is new and has no default" in said
    assert text in said
    assert SubjectVersion.objects.count() == 1


def test_a_syntax_error_names_its_line_and_keeps_the_text(operator: Client) -> None:
    text = "type: record\nname: A\n  fields: []"

    response = operator.post("/schemas/register", edited("orders", text, save="1"))

    said = unescape(response.content.decode())
    assert response.status_code == 422
    assert 'data-line="3"' in said
    assert text in said


def test_a_text_of_five_megabytes_is_refused_in_words(operator: Client) -> None:
    long = json.dumps({"doc": "x" * 5_000_000})

    response = operator.post("/schemas/register", edited("orders", long, save="1"))

    assert response.status_code == 413
    assert "a schema has 1,000,000 at most" in response.content.decode()
    # What a form takes and a schema does not is told in the editor.
    response = operator.post("/schemas/register", edited("orders", long[:1_200_000], save="1"))
    assert response.status_code == 422
    assert "1,200,000 bytes; at most 1,000,000" in response.content.decode()


def test_a_tutorials_yaml_is_registered(operator: Client) -> None:
    text = "version: 7\ntype: record\nname: A\nfields:\n  - {name: id, type: string}\n"

    checked = operator.post("/schemas/register", edited("orders", text))
    assert "You wrote version 7; the registry counts, so it becomes 1." in unescape(
        checked.content.decode()
    )
    operator.post("/schemas/register", edited("orders", text, save="1"))

    assert json.loads(SubjectVersion.objects.get().text)["fields"][0]["name"] == "id"


def test_the_editor_begins_with_the_latest_version(operator: Client) -> None:
    registered("orders", avro("id", "currency=USD"))

    assert '"currency"' in page(operator, "/schemas/register?subject=orders")
    assert "name: OrderPlaced" in page(operator, "/schemas/register")


# Levels


def test_operators_set_levels_for_a_subject_and_for_all(operator: Client) -> None:
    registered("orders", avro("id"))

    operator.post("/schemas/level", {"subject": "orders", "level": "FULL"})
    operator.post("/schemas/level", {"subject": "", "level": "FORWARD"})

    assert current_registry().level("orders") == "FULL"
    assert current_registry().level() == "FORWARD"
    operator.post("/schemas/level", {"subject": "orders", "level": ""})
    assert current_registry().level("orders") is None
    assert AuditEntry.objects.filter(what="schema level").count() == 3
    assert operator.post("/schemas/level", {"level": "ALL"}).status_code == 422


# Deleting


def test_an_admin_deletes_softly_after_being_asked_and_an_operator_registers_again(
    admin: Client, operator: Client
) -> None:
    registered("orders", avro("id"), avro("id", "currency=USD"))
    asked = page(admin, "/schemas/delete?subject=orders&version=2")
    assert "will be deleted softly" in asked

    admin.post("/schemas/delete", {"subject": "orders", "version": "2"})

    assert SubjectVersion.objects.get(version=2).deleted_by == "barbara"
    assert Subject.objects.get().latest == 1
    operator.post("/schemas/restore", {"subject": "orders", "version": "2"})
    again = SubjectVersion.objects.get(version=3)
    assert again.number == SubjectVersion.objects.get(version=2).number


def test_for_good_needs_the_name_and_what_was_asked(admin: Client) -> None:
    registered("orders", avro("id"))
    form = {"subject": "orders", "permanent": "1"}
    # Not deleted softly yet: the page that asked cannot have said so.
    assert admin.post("/schemas/delete", {**form, "name": "orders"}).status_code == 422
    admin.post("/schemas/delete", {"subject": "orders"})

    assert "/schemas/subject/orders" not in page(admin, "/schemas/")
    assert "/schemas/subject/orders" in page(admin, "/schemas/?deleted=1")
    assert "There is no way back" in page(admin, "/schemas/delete?subject=orders")
    assert admin.post("/schemas/delete", {**form, "name": "order"}).status_code == 422
    assert Subject.objects.exists()
    response = admin.post("/schemas/delete", {**form, "name": "orders"})

    assert response["Location"] == "/schemas/"
    assert not Subject.objects.exists()
    whats = list(AuditEntry.objects.order_by("id").values_list("what", flat=True))
    assert whats == ["schema deleted", "schema deleted for good"]


def test_what_others_build_on_is_not_deleted(admin: Client) -> None:
    registered("money", avro("amount", name="Money"))
    fields = [{"name": "total", "type": "shop.Money"}]
    user = json.dumps({"type": "record", "name": "Bill", "namespace": "shop", "fields": fields})
    registered("bills", user, references=(Reference("shop.Money", "money", 1),))

    assert "bills v1" in page(admin, "/schemas/delete?subject=money&version=1")
    assert admin.post("/schemas/delete", {"subject": "money", "version": "1"}).status_code == 422
    assert Subject.objects.get(name="money").latest == 1


# The registry away, and who would break


def test_with_the_registry_away_a_change_says_so_and_nothing_is_lost(
    operator: Client, settings: Settings
) -> None:
    # Nobody listens on port 1.
    settings.EVENTVIZ_SCHEMA_REGISTRY_URL = "http://127.0.0.1:1"

    response = operator.post("/schemas/register", edited("orders", avro("id"), save="1"))

    said = unescape(response.content.decode())
    assert response.status_code == 422
    assert "The schema registry does not answer" in said
    assert avro("id") in said
    level = operator.post("/schemas/level", {"subject": "orders", "level": "FULL"})
    assert level.status_code == 503
    # The registry may have heard it: what was asked for is known, and what came of it.
    asked, refused = AuditEntry.objects.order_by("id")
    assert (asked.what, asked.target) == ("schema level", "orders")
    assert asked.outcome == {"asked": "http://127.0.0.1:1"}
    assert "does not answer" in refused.outcome["refused"]


def test_who_would_break_is_said_before_saving(operator: Client) -> None:
    registered("OrderPlaced", avro("id"))
    write(record("e-1", payload={"id": "1"}), record("e-2", payload={"id": "2", "region": "EU"}))
    text = avro("id", "region")

    said = unescape(
        operator.post("/schemas/register", edited("OrderPlaced", text, look="1")).content.decode()
    )

    assert "<b>1</b> of the last 2 stored payloads of <code>OrderPlaced</code> would break" in said
    assert "order-service" in said
    assert "/flows/o-1?event=e-1" in said
    fine = operator.post("/schemas/register", edited("OrderPlaced", avro("id"), look="1"))
    assert "Nobody: the last 2 stored payloads" in unescape(fine.content.decode())
    write(record("e-3", payload={"id": 3}))
    told = operator.post("/schemas/register", edited("OrderPlaced", avro("id"), look="1"))
    words = " ".join(unescape(told.content.decode()).split())
    assert "none that fitted a version so far breaks by this." in words
    assert "1 more fitted no version so far, nor does it this one." in words
