"""Who may call the API: tokens, sessions, other origins."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.integration.people import browser_of
from tracing.models import ApiToken


@pytest.fixture
def token(viewer: User) -> str:
    return ApiToken.issue(user_id=viewer.pk, name="test")


def test_the_api_asks_for_a_token_in_json(db: None) -> None:
    response = Client().get("/api/flows")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert "Bearer" in response.json()["error"]


def test_the_api_takes_a_token_a_session_or_the_demo(
    viewer: User, token: str, settings: Settings
) -> None:
    bearer = {"Authorization": f"Bearer {token}"}
    browser = browser_of(viewer)

    assert Client().get("/api/flows", headers=bearer).status_code == 200
    assert browser.get("/api/flows").status_code == 200
    settings.EVENTVIZ_DEMO = True
    assert Client().get("/api/flows").status_code == 200


@pytest.mark.parametrize(
    "authorization", ["Bearer ev_wrong", "Bearer", "Basic YTpi", "bearer  ", "\x00"]
)
def test_a_wrong_token_is_refused_even_with_a_session(viewer: User, authorization: str) -> None:
    browser = browser_of(viewer)

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
