"""What goes wrong with a registry, in our words."""

from __future__ import annotations

from tracing.domain.errors import EventvizError


class RegistryUnavailableError(EventvizError):
    """The schema registry does not answer."""


class RegistryRefusedError(RegistryUnavailableError):
    """The schema registry does not let us in."""


class SchemaUnknownError(EventvizError):
    """The schema registry does not know this schema."""


class BadAnswerError(EventvizError):
    """The schema registry answered something that is no schema."""


class BadRegistryError(EventvizError):
    """EVENTVIZ_SCHEMA_REGISTRY_URL is no address: write http(s)://host:port/path."""
