"""The registry of this installation: the one that the settings name, else the built-in one."""

from __future__ import annotations

from django.conf import settings

from tracing.schemas.built_in import BuiltIn
from tracing.schemas.http import Login
from tracing.schemas.mirrored import Mirrored
from tracing.schemas.registry import Registry, Telling, tell_nobody


def current_registry(tell: Telling = tell_nobody) -> Registry:
    """Return where entries are kept and changes go. Its address comes from settings alone.

    `tell` hears of each change: in the transaction of the built-in one's; before and after it
    where another registry decides.
    """
    return Mirrored(registry_login(), tell) if registry_name() else BuiltIn(tell)


def registry_login() -> Login:
    """Return how to reach the registry that the settings name."""
    return Login(
        url=registry_name(),
        user=settings.EVENTVIZ_SCHEMA_REGISTRY_USER,
        password=settings.EVENTVIZ_SCHEMA_REGISTRY_PASSWORD,
        ca_file=settings.EVENTVIZ_SCHEMA_REGISTRY_CA,
    )


def registry_name() -> str:
    """Return what names the registry in the tables: its address, empty for the built-in one."""
    return str(settings.EVENTVIZ_SCHEMA_REGISTRY_URL)
