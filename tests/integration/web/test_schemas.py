"""The pages of schemas through Django's client: who may, what is said, what is kept."""

from __future__ import annotations

import datetime as dt
import json
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from tests.integration import pages
from tests.integration.log import record, write
from tracing.models import AuditEntry, RegistryHead, Subject, SubjectVersion
from tracing.schemas.current import current_registry
from tracing.schemas.registry import Draft, Reference
from tracing.web.access import Role, give_role

pytestmark = pytest.mark.usefixtures("strict_templates")
HOSTILE = "<script>alert(1)</script>"


def avro(*fields: str, name: str = "OrderPlaced") -> str:
    """Return a record's schema; a field is `name` or `name=default`."""
    listed = []
    for field in fields:
        named, _, default = field.partition("=")
        one = {"name": named, "type": "string"}
        listed.append({**one, "default": default} if default else one)
    return json.dumps({"type": "record", "name": name, "namespace": "shop", "fields": listed})


def registered(subject: str, *texts: str, references: tuple[Reference, ...] = ()) -> None:
    """Register versions as somebody else did."""
    for text in texts:
        current_registry().register(subject, Draft(text, "AVRO", references), by="linus")


def page(browser: Client, address: str) -> str:
    """Return the words of a page that is fine."""
    return unescape(pages.page(browser, address))


def edited(subject: str, text: str, **more: str) -> dict[str, str]:
    """Return the editor's form."""
    return {"subject": subject, "kind": "AVRO", "text": text, "references": "", **more}


@pytest.fixture
def reader(viewer: User) -> Client:
    browser = Client()
    browser.force_login(viewer)
    return browser


@pytest.fixture
def admin(db: None) -> Client:
    user = User.objects.create_user("barbara", password="a long pass phrase")
    give_role(user, Role.ADMIN)
    browser = Client()
    browser.force_login(user)
    return browser


# Reading


def test_an_empty_registry_says_how_to_register_the_first(operator: Client, reader: Client) -> None:
    assert "Register the first schema" in page(operator, "/schemas/")
    assert "Register the first schema" not in page(reader, "/schemas/")


def test_subjects_are_listed_with_who_and_what(reader: Client) -> None:
    registered("orders-value", avro("id"), avro("id", "currency=USD"))

    text = page(reader, "/schemas/")

    assert "orders-value" in text
    assert "linus" in text
    assert ">v2<" in text
    assert "BACKWARD" in text


def test_the_list_is_searched_by_subject_and_by_field(reader: Client) -> None:
    registered("orders-value", avro("id", "orderCurrency=USD"))
    registered("parcels-value", avro("id", "weight=1"))

    found = page(reader, "/schemas/?q=currency")
    assert "orders-value" in found
    assert '<code class="dim">orderCurrency</code>' in found
    assert "parcels-value" not in found
    assert "parcels-value" in page(reader, "/schemas/?q=PARC")
    assert "No subject matches" in page(reader, "/schemas/?q=nothing")


def test_the_list_goes_on_behind_a_name(reader: Client) -> None:
    for number in range(60):
        registered(f"s-{number:03}", avro("id"))

    first = page(reader, "/schemas/")
    assert "s-049" in first
    assert "s-050" not in first
    assert "/schemas/?after=s-049" in first
    assert "s-050" in page(reader, "/schemas/?after=s-049")


def test_a_page_of_the_list_costs_a_few_queries(
    reader: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(50):
        registered(f"s-{number:03}", avro("id"))

    with django_assert_max_num_queries(25):
        page(reader, "/schemas/?q=s")


def test_a_framed_schema_is_known_on_the_wire_by_its_id(reader: Client) -> None:
    registered("orders-value", avro("id"), avro("id", "currency=USD"))
    number = SubjectVersion.objects.get(version=1).number
    value = b"\x00" + number.to_bytes(4, "big") + b"\x02a"
    write(record("-", value=value, topic="orders", service="old-shop"))

    assert '<span class="mono bad-back">v1</span>' in page(reader, "/schemas/")
    assert "old-shop" in page(reader, "/schemas/subject/orders-value")


def test_a_subject_shows_two_versions_and_what_differs(reader: Client) -> None:
    registered("orders-value", avro("id"), avro("id", "currency=USD"), avro("id", "region=EU"))

    text = page(reader, "/schemas/subject/orders-value?old=1&new=2")

    assert "From v1 to v2" in text
    assert "added, with default USD" in text
    assert "old readers and writers are fine" in text
    assert "From v2 to v3" in page(reader, "/schemas/subject/orders-value")
    assert reader.get("/schemas/subject/nothing").status_code == 404


def test_references_lead_both_ways(reader: Client) -> None:
    registered("money", avro("amount", name="Money"))
    fields = [{"name": "total", "type": "shop.Money"}]
    user = json.dumps({"type": "record", "name": "Bill", "namespace": "shop", "fields": fields})
    registered("bills", user, references=(Reference("shop.Money", "money", 1),))

    assert "/schemas/subject/money?new=1" in page(reader, "/schemas/subject/bills")
    assert "/schemas/subject/bills?new=1" in page(reader, "/schemas/subject/money")


def test_a_strangers_names_are_escaped(reader: Client) -> None:
    registered(HOSTILE, avro("id"), avro("id", f"note={HOSTILE}"))

    for address in ("/schemas/", "/schemas/subject/%3Cscript%3Ealert(1)%3C%2Fscript%3E"):
        assert HOSTILE not in reader.get(address).content.decode()


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


# Who may


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
    user = User.objects.create_user("mallory", password="a long pass phrase")
    give_role(user, Role.ADMIN)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
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


def test_a_mirror_that_stands_still_says_since_when(reader: Client, settings: Settings) -> None:
    settings.EVENTVIZ_SCHEMA_REGISTRY_URL = "http://schemas.test:8081"
    assert "Not read yet" in page(reader, "/schemas/")
    at = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
    RegistryHead.objects.create(
        registry="http://schemas.test:8081", mirrored_at=at, error="It does not answer."
    )

    text = page(reader, "/schemas/")

    assert "The registry is away" in text
    assert "2026-01-31 12:00:00" in text
    assert "It does not answer." in text


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


# What the wire says


def test_the_list_says_who_still_produces_the_oldest_version(reader: Client) -> None:
    registered("OrderPlaced", avro("id"), avro("id", "currency=USD"))
    write(record("e-1", payload={"id": "1"}, service="order-service"))

    text = page(reader, "/schemas/")

    assert ">v1</span>" in text
    assert "by order-service" in text


def test_a_version_shows_an_example_from_the_wire(reader: Client) -> None:
    registered("OrderPlaced", avro("id"), avro("id", "currency=USD"))
    write(record("e-1", payload={"id": "a-first-order"}, flow="o-7"))

    text = page(reader, "/schemas/subject/OrderPlaced")

    assert "a-first-order" in text
    assert "/flows/o-7?event=e-1" in text
    assert text.count("From the wire") == 1


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
