"""`manage.py user` and `manage.py token`."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from tracing.web.access import Role, role_of


def run(*arguments: str) -> str:
    """Return what a command prints."""
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_it_makes_an_account_and_prints_its_password_once(db: None) -> None:
    said = run("user", "ada", "--role", "operator")
    password = said.split("shown only now: ")[1].strip()

    assert role_of(User.objects.get(username="ada")) is Role.OPERATOR
    assert Client().post("/login/", {"username": "ada", "password": password}).status_code == 302


def test_it_changes_a_role_and_leaves_the_password(db: None) -> None:
    run("user", "ada", "--role", "admin")
    before = User.objects.get(username="ada").password

    said = run("user", "ada", "--role", "viewer")

    ada = User.objects.get(username="ada")
    assert (role_of(ada), ada.password, ada.is_staff) == (Role.VIEWER, before, False)
    assert "Password" not in said


@pytest.mark.parametrize("name", ["demo", "with space", ""])
def test_it_refuses_names_that_cannot_sign_in(db: None, name: str) -> None:
    with pytest.raises(CommandError):
        run("user", name)

    assert not User.objects.exists()


def test_it_issues_a_token_that_the_api_takes(db: None) -> None:
    run("user", "ada")

    token = run("token", "ada", "--name", "nightly").split("Bearer ")[1].strip()

    answer = Client().get("/api/flows", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


def test_nobody_gets_a_token_for_somebody_unknown(db: None) -> None:
    with pytest.raises(CommandError, match="nobody"):
        run("token", "nobody", "--name", "x")
