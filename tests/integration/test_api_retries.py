"""Retries over the JSON API."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.integration.log import record, write
from tests.integration.people import browser_of, somebody
from tracing.models import ApiToken, RetryRun
from tracing.web.access import Role

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
BODY = {"flow": "o-1", "reason": "it was down", "rate_per_s": 20}


@pytest.fixture
def api() -> Client:
    """Return a script with an operator's token."""
    user = somebody("robot", Role.OPERATOR)
    token = ApiToken.issue(user_id=user.pk, name="test")
    return Client(headers={"Authorization": f"Bearer {token}"})


def post(api: Client, path: str, body: Any, status: int) -> Any:
    answer = api.post(path, body, content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_dry_run_starts_nothing(api: Client) -> None:
    write(record("e-1"), record("e-2", cause="e-1"))

    plan = post(api, "/api/retries", {**BODY, "dry_run": True}, 200)

    assert (plan["sendable"], plan["targets"]) == (2, {"orders": 2})
    assert plan["processed_already"] == 1
    assert not RetryRun.objects.exists()


def test_a_run_is_started_looked_at_and_cancelled(api: Client) -> None:
    write(record("e-1"))

    run = post(api, "/api/retries", BODY, 201)
    found = api.get(f"/api/retries/{run['id']}").json()
    ended = post(api, f"/api/retries/{run['id']}/cancel", None, 200)

    assert found == run
    assert (run["state"], run["asked_by"], run["rate_per_s"]) == ("planned", "robot", 20.0)
    assert ended["state"] == "cancelled"
    assert {"planned", "sent", "processed", "failed_again", "unconfirmed"} <= run.keys()


def test_a_retried_copy_stands_before_the_dead_letter(api: Client) -> None:
    write(record("e-1", topic="orders-dlt", payload=1, at_ms=1_000))
    write(record("e-1", payload=2, at_ms=2_000, headers=(("eventviz-retry-id", b"r"),)))
    assert api.get("/api/events/e-1").json()["payload"] == 2

    write(record("e-1", payload=3, at_ms=3_000))

    assert api.get("/api/events/e-1").json()["payload"] == 3


def test_a_token_makes_starting_idempotent(api: Client) -> None:
    runs = [post(api, "/api/retries", {**BODY, "token": "once"}, 201)["id"] for _ in range(2)]

    assert runs[0] == runs[1]


def test_runs_are_listed_page_by_page(api: Client) -> None:
    made = [post(api, "/api/retries", BODY, 201)["id"] for _ in range(3)]

    first = api.get("/api/retries?limit=2").json()
    second = api.get("/api/retries", {"limit": 2, "cursor": first["next"]}).json()

    assert [run["id"] for run in first["retries"] + second["retries"]] == made[::-1]
    assert second["next"] is None


@pytest.mark.parametrize(
    "wrong",
    [{"flow": ""}, {"key": "x"}, {"reason": ""}, {"rate_per_s": 0}, {"kind": "x"}, {"typo": 1}],
)
def test_what_makes_no_sense_is_named(api: Client, wrong: dict[str, Any]) -> None:
    assert post(api, "/api/retries", {**BODY, **wrong}, 400)["error"]
    assert api.get(f"/api/retries/{uuid.uuid4()}").status_code == 404


def test_only_an_operator_from_here_may(api: Client) -> None:
    viewer = browser_of(somebody())
    operator = browser_of(User.objects.get(username="robot"))
    foreign = {"Origin": "https://evil.example"}

    assert post(viewer, "/api/retries", BODY, 403)["error"]
    assert Client().post("/api/retries", BODY, content_type="application/json").status_code == 401
    json = "application/json"
    assert (
        operator.post("/api/retries", BODY, content_type=json, headers=foreign).status_code == 403
    )
    assert operator.post("/api/retries", BODY).status_code == 415
    assert viewer.get("/api/retries").status_code == 200
    assert not RetryRun.objects.exists()
