"""The pages of schemas over a real registry of another make: Apicurio decides, ours follow."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.integration.log import record, write
from tests.integration.people import browser_of, somebody
from tests.integration.web.schemas import avro, edited, page
from tracing.models import AuditEntry, Subject
from tracing.schemas import mirror
from tracing.schemas.current import registry_login
from tracing.schemas.mirror import Mirror
from tracing.web.access import Role

# The mirror's threads ask while the test's own one writes.
pytestmark = [
    pytest.mark.apicurio,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("strict_templates"),
]
TIMEOUT_S = 20


@pytest.fixture
def admin(apicurio: str, settings: Settings, transactional_db: None) -> Client:
    settings.EVENTVIZ_SCHEMA_REGISTRY_URL = apicurio
    return browser_of(somebody("barbara", Role.ADMIN))


@pytest.fixture
def subject() -> str:
    """Return a name of this test's own: the registry is shared."""
    return f"Order{uuid.uuid4().hex[:8]}"


def elsewhere(url: str, subject: str, text: str) -> None:
    """Register a schema past us."""
    request = urllib.request.Request(
        f"{url}/subjects/{subject}/versions",
        data=json.dumps({"schema": text}).encode(),
        headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        assert answer.status == 200


def registered(browser: Client, subject: str, text: str) -> Any:
    return browser.post("/schemas/register", edited(subject, text, save="1"))


def test_a_subjects_whole_life(admin: Client, apicurio: str, subject: str) -> None:
    place = f"/schemas/subject/{subject}"
    assert registered(admin, subject, avro("id"))["Location"] == f"{place}?new=1"
    assert registered(admin, subject, avro("id", "currency=USD"))["Location"] == f"{place}?new=2"
    admin.post("/schemas/level", {"subject": subject, "level": "BACKWARD"})

    shown = page(admin, place)
    assert "added, with default USD" in shown
    assert "old readers and writers are fine" in shown
    assert "BACKWARD since" in shown
    assert "set by barbara" in shown

    # Apicurio refuses without a reason: ours stands beside it.
    bad = avro("id", "currency=USD", "shippingAddress")
    checked = admin.post("/schemas/register", edited(subject, bad)).content.decode()
    assert "Incompatible under BACKWARD" in checked
    assert "<code>shippingAddress</code> is new and has no default" in checked
    assert registered(admin, subject, bad).status_code == 422
    assert "shippingAddress" not in page(admin, place)

    admin.post("/schemas/delete", {"subject": subject, "version": "2"})
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{apicurio}/subjects/{subject}/versions/2", timeout=TIMEOUT_S)
    shown = page(admin, place)
    assert "by barbara" in shown
    assert "Delete for good" in shown
    whats = [(entry.what, sorted(entry.outcome)) for entry in AuditEntry.objects.order_by("id")]
    assert whats == [
        ("schema registered", ["asked"]),
        ("schema registered", ["id", "version"]),
        ("schema registered", ["asked"]),
        ("schema registered", ["id", "version"]),
        ("schema level", ["asked"]),
        ("schema level", ["level"]),
        ("schema deleted", ["asked"]),
        ("schema deleted", ["done"]),
    ]


def test_what_others_register_appears_here(admin: Client, apicurio: str, subject: str) -> None:
    elsewhere(apicurio, subject, avro("id"))
    follower = Mirror(registry_login())
    while follower.round():
        pass
    assert f"/schemas/subject/{subject}" in page(admin, f"/schemas/?q={subject}")

    elsewhere(apicurio, subject, avro("id", "giftCard=none"))
    # As if it had been looked at long ago.
    Subject.objects.filter(name=subject).update(checked_at=timezone.now() - 2 * mirror.AGAIN)
    while follower.round():
        pass

    assert "giftCard" in page(admin, "/schemas/?q=gift")
    assert "found in the registry" in page(admin, f"/schemas/subject/{subject}")


def test_who_would_break_is_said_before_registering(admin: Client, subject: str) -> None:
    write(record("e-1", subject, payload={"id": "1"}, service="old-shop"))

    said = admin.post("/schemas/register", edited(subject, avro("id", "region"), look="1"))

    text = said.content.decode()
    assert "Who would break?" in text
    assert "old-shop" in text
    assert "<code>region</code> is missing" in text
