"""Pages in the tests' hands: a demo's visitor, somebody signed in, and strict templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import engines
from django.test import Client
from pytest_django import Settings

from tracing.web.access import Role, give_role


class Undefined(str):
    """Stands in `string_if_invalid`: a variable that no context defines fails the test."""

    __slots__ = ()

    def __contains__(self, text: object) -> bool:
        return text == "%s"

    def __mod__(self, name: Any) -> str:
        raise AssertionError(f"The template variable {name} is undefined.")


@pytest.fixture
def strict_templates() -> Iterator[None]:
    """Let undefined variables fail."""
    engine = engines["django"].engine  # type: ignore[attr-defined]
    before, engine.string_if_invalid = engine.string_if_invalid, Undefined("%s")
    yield
    engine.string_if_invalid = before


@pytest.fixture
def demo(settings: Settings, strict_templates: None, db: None) -> Client:
    """Return a browser of a demo's visitor."""
    settings.EVENTVIZ_DEMO = True
    return Client()


@pytest.fixture
def viewer(db: None) -> User:
    """Return somebody who may look."""
    user = User.objects.create_user("ada", password="a long pass phrase")
    give_role(user, Role.VIEWER)
    return user


@pytest.fixture
def operator(db: None) -> Client:
    """Return the browser of somebody who may decide."""
    user = User.objects.create_user("grace", password="a long pass phrase")
    give_role(user, Role.OPERATOR)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def reader(viewer: User) -> Client:
    """Return the browser of somebody who may look."""
    browser = Client()
    browser.force_login(viewer)
    return browser


@pytest.fixture
def admin(db: None) -> Client:
    """Return the browser of somebody who may do anything."""
    user = User.objects.create_user("barbara", password="a long pass phrase")
    give_role(user, Role.ADMIN)
    browser = Client()
    browser.force_login(user)
    return browser
