"""Who may see what: sign-in, roles, the demo."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.integration.people import browser_of
from tracing.web import access

PAGES = ("/", "/flows/", "/flows/x", "/tail/", "/search/", "/admin/", "/nothing")
PASSWORD = "a long pass phrase"


@pytest.fixture
def member(viewer: User) -> User:
    """Return somebody who can sign in."""
    viewer.set_password(PASSWORD)
    viewer.save()
    return viewer


# Pages


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_is_sent_to_sign_in(db: None, page: str) -> None:
    response = Client().get(page)

    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=")


def test_a_fragment_is_not_answered_with_the_sign_in_page(db: None) -> None:
    response = Client().get("/flows/?type=a&state=done", headers={"HX-Request": "true"})

    assert response.status_code == 401
    assert response["HX-Redirect"] == "/login/?next=/flows/%3Ftype%3Da%26state%3Ddone"


def test_signing_in_goes_back_to_where_one_came_from(member: User) -> None:
    form = {"username": "ada", "password": PASSWORD, "next": "/tail/?topic=a"}
    browser = Client()

    response = browser.post("/login/", form)

    assert response["Location"] == "/tail/?topic=a"
    assert browser.get("/flows/").status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_signing_in_never_leads_to_another_site(member: User, target: str) -> None:
    form = {"username": "ada", "password": PASSWORD, "next": target}

    assert Client().post("/login/", form)["Location"] == "/flows/"


def test_a_wrong_password_is_said_without_saying_which_part_is_wrong(member: User) -> None:
    response = Client().post("/login/", {"username": "ada", "password": "wrong"})

    assert response.status_code == 200
    assert "do not belong together" in response.content.decode()


def test_signing_out_needs_a_form(viewer: User) -> None:
    browser = browser_of(viewer)

    assert browser.get("/logout/").status_code == 405
    assert browser.post("/logout/")["Location"] == "/login/"
    assert browser.get("/flows/").status_code == 302


def test_only_an_admin_sees_and_opens_the_admin_pages(viewer: User) -> None:
    browser = browser_of(viewer)
    assert "/admin/" not in browser.get("/flows/").content.decode()
    assert browser.get("/admin/").status_code == 403

    access.give_role(viewer, access.Role.ADMIN)

    assert "/admin/" in browser.get("/flows/").content.decode()
    assert browser.get("/admin/").status_code == 200
    assert browser.get("/admin/tracing/apitoken/").status_code == 200


def test_roles_include_those_below() -> None:
    assert access.Role.VIEWER < access.Role.OPERATOR < access.Role.ADMIN


def test_the_health_page_needs_nobody(db: None) -> None:
    response = Client().get("/health/")

    assert (response.status_code, response.content) == (200, b"ok\n")


def test_the_icon_needs_nobody(db: None) -> None:
    response = Client().get("/favicon.ico")

    assert (response.status_code, response["Location"]) == (302, "/static/brand.svg")


def test_the_admin_pages_carry_our_name(viewer: User) -> None:
    access.give_role(viewer, access.Role.ADMIN)
    browser = browser_of(viewer)

    text = browser.get("/admin/").content.decode()

    assert "<title>Administration | eventviz</title>" in text
    assert "Django" not in text
    assert "API tokens" in text


def test_a_host_name_that_is_not_ours_is_refused(demo: Client) -> None:
    response = demo.get("/flows/", headers={"Host": "rebound.example"})

    assert response.status_code == 400
    assert b"EVENTVIZ_ALLOWED_HOSTS" in response.content


# The demo


def test_a_demo_signs_its_visitor_in_as_an_operator(demo: Client) -> None:
    page = demo.get("/flows/").content.decode()

    assert "signed in as operator, loopback only" in page
    assert access.role_of(User.objects.get(username="demo")) is access.Role.OPERATOR
    assert not User.objects.get(username="demo").has_usable_password()
    assert demo.get("/login/")["Location"] == "/flows/"


@pytest.mark.parametrize(
    "meta",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"HTTP_FORWARDED": "for=192.0.2.7"},
    ],
)
def test_a_demo_signs_nobody_in_from_elsewhere(demo: Client, meta: dict[str, str]) -> None:
    assert demo.get("/flows/", **meta).status_code == 302  # type: ignore[arg-type]
    assert demo.get("/api/flows", **meta).status_code == 401  # type: ignore[arg-type]


def test_a_demo_counts_every_loopback_address(demo: Client) -> None:
    for address in ("127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"):
        assert demo.get("/flows/", REMOTE_ADDR=address).status_code == 200
