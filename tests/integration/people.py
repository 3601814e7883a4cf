"""People who use the product, and their browsers."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client

from tracing.web.access import Role, give_role


def somebody(name: str = "ada", role: Role | None = None) -> User:
    """Return a new user, without a password: to hash one costs a quarter of a second."""
    user = User.objects.create_user(name)
    if role is not None:
        give_role(user, role)
    return user


def browser_of(user: User, *, checks_forms: bool = False) -> Client:
    """Return a browser in which somebody is signed in; it may refuse forms without their token."""
    browser = Client(enforce_csrf_checks=checks_forms)
    browser.force_login(user)
    return browser
