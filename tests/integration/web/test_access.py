"""Who may see what: sign-in, the demo, tokens, other origins, and sockets."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tracing.models import ApiToken
from tracing.web import access

PAGES = ("/", "/flows/", "/flows/x", "/tail/", "/search/", "/admin/", "/nothing")


@pytest.fixture
def token(viewer: User) -> str:
    return ApiToken.issue(user_id=viewer.pk, name="test")


def scope(**headers: str) -> dict[str, Any]:
    """Return a websocket's scope as Daphne makes it."""
    given = {"host": "testserver", **headers}
    return {
        "type": "websocket",
        "path": "/live/flows",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("192.0.2.7", 50_000),
    }


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


def test_signing_in_goes_back_to_where_one_came_from(viewer: User) -> None:
    form = {"username": "ada", "password": "a long pass phrase", "next": "/tail/?topic=a"}
    browser = Client()

    response = browser.post("/login/", form)

    assert response["Location"] == "/tail/?topic=a"
    assert browser.get("/flows/").status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_signing_in_never_leads_to_another_site(viewer: User, target: str) -> None:
    form = {"username": "ada", "password": "a long pass phrase", "next": target}

    assert Client().post("/login/", form)["Location"] == "/flows/"


def test_a_wrong_password_is_said_without_saying_which_part_is_wrong(viewer: User) -> None:
    response = Client().post("/login/", {"username": "ada", "password": "wrong"})

    assert response.status_code == 200
    assert "do not belong together" in response.content.decode()


def test_signing_out_needs_a_form(viewer: User) -> None:
    browser = Client()
    browser.force_login(viewer)

    assert browser.get("/logout/").status_code == 405
    assert browser.post("/logout/")["Location"] == "/login/"
    assert browser.get("/flows/").status_code == 302


def test_only_an_admin_sees_and_opens_the_admin_pages(viewer: User) -> None:
    browser = Client()
    browser.force_login(viewer)
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
    browser = Client()
    browser.force_login(viewer)

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


# The API


def test_the_api_asks_for_a_token_in_json(db: None) -> None:
    response = Client().get("/api/flows")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert "Bearer" in response.json()["error"]


def test_the_api_takes_a_token_a_session_or_the_demo(
    viewer: User, token: str, settings: Settings
) -> None:
    bearer = {"Authorization": f"Bearer {token}"}
    browser = Client()
    browser.force_login(viewer)

    assert Client().get("/api/flows", headers=bearer).status_code == 200
    assert browser.get("/api/flows").status_code == 200
    settings.EVENTVIZ_DEMO = True
    assert Client().get("/api/flows").status_code == 200


@pytest.mark.parametrize(
    "authorization", ["Bearer ev_wrong", "Bearer", "Basic YTpi", "bearer  ", "\x00"]
)
def test_a_wrong_token_is_refused_even_with_a_session(viewer: User, authorization: str) -> None:
    browser = Client()
    browser.force_login(viewer)

    response = browser.get("/api/flows", headers={"Authorization": authorization})

    assert response.status_code == 401


def test_the_token_of_somebody_who_left_is_worth_nothing(viewer: User, token: str) -> None:
    viewer.is_active = False
    viewer.save()

    response = Client().get("/api/flows", headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://testserver"},
        {"Origin": "http://testserver:8001"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_the_api_refuses_other_origins_whoever_asks(
    demo: Client, token: str, headers: dict[str, str]
) -> None:
    plain = demo.get("/api/flows", headers=headers)
    with_token = demo.get("/api/flows", headers={**headers, "Authorization": f"Bearer {token}"})

    assert (plain.status_code, with_token.status_code) == (403, 403)
    assert "another origin" in plain.json()["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://testserver"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {},
    ],
)
def test_the_api_answers_our_own_pages_and_scripts(demo: Client, headers: dict[str, str]) -> None:
    assert demo.get("/api/flows", headers=headers).status_code == 200


@pytest.mark.parametrize("method", ["DELETE", "POST", "PUT", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("address", ["/api/flows", "/api/events/x", "/api/nothing"])
def test_the_api_reads_and_says_so_in_json(token: str, address: str, method: str) -> None:
    browser = Client(enforce_csrf_checks=True)

    response = browser.generic(method, address, headers={"Authorization": f"Bearer {token}"})

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert response.json() == {"error": "Only GET: this address reads."}


# Sockets


@pytest.fixture
def hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]


def cookie(user: User, settings: Settings) -> str:
    """Return the Cookie header of somebody's browser."""
    browser = Client()
    browser.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return f"other=1; {name}={browser.cookies[name].value}"


def test_a_socket_of_our_page_opens_for_who_is_signed_in(
    viewer: User, settings: Settings, hosts: None
) -> None:
    session = cookie(viewer, settings)

    assert access.scope_allowed(scope(origin="http://testserver", cookie=session)) == viewer
    assert access.scope_allowed(scope(origin="http://testserver")) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "https://testserver"},
        {"origin": "null"},
        {"origin": "http://testserver", "host": "evil.example"},
        {"host": "rebound.example", "origin": "http://rebound.example"},
        {"host": ""},
    ],
)
def test_a_socket_of_another_origin_or_host_stays_closed(
    viewer: User, settings: Settings, hosts: None, headers: dict[str, str]
) -> None:
    settings.EVENTVIZ_DEMO = True
    loopback = {"client": ("127.0.0.1", 1)}

    found = access.scope_allowed(scope(**headers, cookie=cookie(viewer, settings)) | loopback)

    assert found is None


def test_a_script_opens_a_socket_by_token_only(
    viewer: User, token: str, settings: Settings, hosts: None
) -> None:
    session = cookie(viewer, settings)

    assert access.scope_allowed(scope(cookie=session)) is None
    assert access.scope_allowed(scope(authorization="Bearer ev_no", cookie=session)) is None
    assert access.scope_allowed(scope(authorization=f"Bearer {token}")) == viewer


def test_a_demo_opens_sockets_on_loopback_alone(db: None, settings: Settings, hosts: None) -> None:
    settings.EVENTVIZ_DEMO = True
    loopback = {"client": ("127.0.0.1", 1)}

    own = access.scope_allowed(scope(origin="http://testserver") | loopback)

    assert own is not None
    assert own.username == "demo"
    assert access.scope_allowed(scope() | loopback) == own
    assert access.scope_allowed(scope()) is None
    assert access.scope_allowed(scope(**{"x-forwarded-for": "192.0.2.1"}) | loopback) is None


def test_a_socket_behind_https_compares_the_scheme_that_the_browser_saw(
    viewer: User, settings: Settings, hosts: None
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    asked = scope(
        origin="https://testserver",
        cookie=cookie(viewer, settings),
        **{"x-forwarded-proto": "https"},
    )

    assert access.scope_allowed(asked) == viewer


def test_a_session_ends_with_the_password(viewer: User, settings: Settings, hosts: None) -> None:
    session = cookie(viewer, settings)
    viewer.set_password("another long pass phrase")
    viewer.save()

    assert access.scope_allowed(scope(origin="http://testserver", cookie=session)) is None
