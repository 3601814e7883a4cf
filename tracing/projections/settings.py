"""The settings that shape the read models."""

from __future__ import annotations

import functools

from django.conf import settings

from tracing.codec.rules import DEFAULT_KEY_FIELDS, Mapping, Rules, parse_mappings
from tracing.domain.topology import TopicRoles
from tracing.projections.configured import configured_dead_letters, forget_configured
from tracing.projections.decisions import applied_mappings, forget_mappings
from tracing.projections.known_schemas import KnownSchemas
from tracing.projections.saga_decisions import forget_sagas


def current_rules() -> Rules:
    """Return the codec's rules: the settings and the mappings that people applied.

    At most two small queries a second. Raises BadMappingError when the settings make no sense.
    """
    return _rules(
        settings.EVENTVIZ_MAPPINGS,
        tuple(settings.EVENTVIZ_KEY_FIELDS),
        settings.EVENTVIZ_SCHEMA_REGISTRY_URL,
        applied_mappings(),
        TopicRoles(
            # What our settings say comes before what the broker's do.
            (*settings.EVENTVIZ_DEAD_LETTER_TOPICS, *configured_dead_letters()),
            tuple(settings.EVENTVIZ_RETRY_TOPICS),
        ),
    )


@functools.lru_cache(maxsize=4)
def _rules(
    mappings: str,
    key_fields: tuple[str, ...],
    registry: str,
    applied: tuple[Mapping, ...],
    topics: TopicRoles,
) -> Rules:
    return Rules(
        # What people applied on the page comes before what the settings say.
        mappings=(*applied, *parse_mappings(mappings.encode())),
        key_fields=key_fields or DEFAULT_KEY_FIELDS,
        schema_of=KnownSchemas(registry),
        topics=topics,
    )


def look_for_schemas() -> None:
    """Learn at once what was fetched by another process. One query."""
    schema_of = current_rules().schema_of
    if isinstance(schema_of, KnownSchemas):
        schema_of.look()


def forget_rules() -> None:
    """Read settings, and what they lead to, anew when they are asked for next."""
    _rules.cache_clear()
    forget_mappings()
    forget_configured()
    forget_sagas()
