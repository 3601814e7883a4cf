"""Pages in the tests' hands: a demo's visitor, somebody signed in, and strict templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import engines
from django.test import Client
from pytest_django import Settings

from tests.integration.people import browser_of, somebody
from tracing.web.access import Role


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
    return somebody("ada", Role.VIEWER)


@pytest.fixture
def operator(db: None) -> Client:
    """Return the browser of somebody who may decide."""
    return browser_of(somebody("grace", Role.OPERATOR))


@pytest.fixture
def reader(viewer: User) -> Client:
    """Return the browser of somebody who may look."""
    return browser_of(viewer)


@pytest.fixture
def admin(db: None) -> Client:
    """Return the browser of somebody who may do anything."""
    return browser_of(somebody("barbara", Role.ADMIN))
