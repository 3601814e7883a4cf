"""Who may change schemas, and who may only look."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.integration.people import browser_of, somebody
from tests.integration.web.schemas import avro, page, registered
from tracing.models import AuditEntry, Subject
from tracing.schemas.current import current_registry
from tracing.web.access import Role

pytestmark = pytest.mark.usefixtures("strict_templates")
CHANGES = [
    ("/schemas/register", {"subject": "orders", "text": '"string"', "save": "1"}),
    ("/schemas/level", {"subject": "orders", "level": "NONE"}),
    ("/schemas/restore", {"subject": "orders", "version": "1"}),
    ("/schemas/delete", {"subject": "orders"}),
]


@pytest.mark.parametrize(("address", "form"), CHANGES)
def test_a_viewer_may_only_look(reader: Client, address: str, form: dict[str, str]) -> None:
    registered("orders", avro("id"))

    assert reader.post(address, form).status_code == 403
    assert not AuditEntry.objects.exists()


def test_an_operator_may_not_delete(operator: Client) -> None:
    registered("orders", avro("id"))

    assert operator.post("/schemas/delete", {"subject": "orders"}).status_code == 403
    assert operator.get("/schemas/delete?subject=orders").status_code == 403
    assert "Delete…" not in page(operator, "/schemas/subject/orders")


@pytest.mark.parametrize(("address", "form"), CHANGES)
def test_a_forged_post_is_refused(db: None, address: str, form: dict[str, str]) -> None:
    browser = browser_of(somebody("mallory", Role.ADMIN), checks_forms=True)
    registered("orders", avro("id"))

    assert browser.post(address, form).status_code == 403
    assert current_registry().versions("orders") == [1]


def test_djangos_admin_lists_subjects_and_leads_to_their_pages(admin: Client) -> None:
    registered("orders", avro("id"))
    number = Subject.objects.get().pk

    assert "orders" in admin.get("/admin/tracing/subject/?q=ord").content.decode()
    shown = admin.get(f"/admin/tracing/subject/{number}/change/")
    assert "/schemas/subject/orders" in shown.content.decode()
    assert (
        admin.post(f"/admin/tracing/subject/{number}/delete/", {"post": "yes"}).status_code == 403
    )
    assert admin.get("/admin/tracing/subject/add/").status_code == 403
