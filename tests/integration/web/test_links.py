"""One-time links: good once, for a while, and for one account."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client

from tests.integration.people import somebody
from tracing.web.access import Role
from tracing.web.accounts import links

pytestmark = pytest.mark.django_db
CHOSEN = {"new_password1": "a wonderland of words", "new_password2": "a wonderland of words"}


@pytest.fixture
def admin() -> User:
    return somebody("admin", Role.ADMIN)


def test_looking_at_a_link_uses_nothing_up(client: Client, admin: User) -> None:
    path = links.make_link(admin)

    assert [client.get(path).status_code for _ in range(2)] == [200, 200]


def test_a_link_sets_a_password_and_signs_in_once(client: Client, admin: User) -> None:
    path = links.make_link(admin)

    answer = client.post(path, CHOSEN)

    assert (answer.status_code, answer["Location"]) == (302, "/flows/")
    assert client.get("/admin/").status_code == 200
    assert Client().post(path, CHOSEN).status_code == 410


def test_a_weak_password_is_said_and_uses_nothing_up(client: Client, admin: User) -> None:
    path = links.make_link(admin)

    answer = client.post(path, {"new_password1": "short", "new_password2": "short"})

    assert answer.status_code == 200
    assert "too short" in answer.content.decode()
    assert client.get(path).status_code == 200


def test_of_two_who_use_one_link_at_once_only_one_is_let_in(admin: User) -> None:
    token = links.make_link(admin).removeprefix("/login/link/")
    first, second = links.open_link(token), links.open_link(token)
    assert first
    assert second

    assert [links.use_link(first, "one of two words"), links.use_link(second, "another")] == [
        True,
        False,
    ]


def test_an_old_a_strange_and_a_disabled_link_are_refused(
    client: Client, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = links.make_link(admin)
    other = signing.TimestampSigner(salt="another").sign("1.x").replace(":", "~")

    assert client.get(f"/login/link/{other}").status_code == 410
    assert client.get("/login/link/%F0%9F%92%A5~a~b").status_code == 410
    monkeypatch.setattr(links, "LIFE_S", -1)
    assert client.get(path).status_code == 410
    monkeypatch.undo()
    User.objects.update(is_active=False)
    assert client.get(path).status_code == 410
