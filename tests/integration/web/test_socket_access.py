"""Who may open a socket: sessions, tokens, the demo, other origins."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from tests.integration.people import browser_of
from tracing.models import ApiToken
from tracing.web import scopes


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


@pytest.fixture
def hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]


def cookie(user: User, settings: Settings) -> str:
    """Return the Cookie header of somebody's browser."""
    name = settings.SESSION_COOKIE_NAME
    return f"other=1; {name}={browser_of(user).cookies[name].value}"


def test_a_socket_of_our_page_opens_for_who_is_signed_in(
    viewer: User, settings: Settings, hosts: None
) -> None:
    session = cookie(viewer, settings)

    assert scopes.scope_allowed(scope(origin="http://testserver", cookie=session)) == viewer
    assert scopes.scope_allowed(scope(origin="http://testserver")) is None


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

    found = scopes.scope_allowed(scope(**headers, cookie=cookie(viewer, settings)) | loopback)

    assert found is None


def test_a_script_opens_a_socket_by_token_only(
    viewer: User, token: str, settings: Settings, hosts: None
) -> None:
    session = cookie(viewer, settings)

    assert scopes.scope_allowed(scope(cookie=session)) is None
    assert scopes.scope_allowed(scope(authorization="Bearer ev_no", cookie=session)) is None
    assert scopes.scope_allowed(scope(authorization=f"Bearer {token}")) == viewer


def test_a_demo_opens_sockets_on_loopback_alone(db: None, settings: Settings, hosts: None) -> None:
    settings.EVENTVIZ_DEMO = True
    loopback = {"client": ("127.0.0.1", 1)}

    own = scopes.scope_allowed(scope(origin="http://testserver") | loopback)

    assert own is not None
    assert own.username == "demo"
    assert scopes.scope_allowed(scope() | loopback) == own
    assert scopes.scope_allowed(scope()) is None
    assert scopes.scope_allowed(scope(**{"x-forwarded-for": "192.0.2.1"}) | loopback) is None


def test_a_socket_behind_https_compares_the_scheme_that_the_browser_saw(
    viewer: User, settings: Settings, hosts: None
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    asked = scope(
        origin="https://testserver",
        cookie=cookie(viewer, settings),
        **{"x-forwarded-proto": "https"},
    )

    assert scopes.scope_allowed(asked) == viewer


def test_a_session_ends_with_the_password(viewer: User, settings: Settings, hosts: None) -> None:
    session = cookie(viewer, settings)
    viewer.set_password("another long pass phrase")
    viewer.save()

    assert scopes.scope_allowed(scope(origin="http://testserver", cookie=session)) is None
