"""The registry of this installation: the one that the settings name, else the built-in one."""

from __future__ import annotations

from django.conf import settings

from tracing.schemas.built_in import BuiltIn
from tracing.schemas.http import Login
from tracing.schemas.mirrored import Mirrored
from tracing.schemas.registry import Registry


def current_registry() -> Registry:
    """Return where entries are kept and changes go. Its address comes from settings alone."""
    url = registry_name()
    return Mirrored(registry_login()) if url else BuiltIn()


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
