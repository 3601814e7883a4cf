"""The settings that shape the read models."""

from __future__ import annotations

import functools

from django.conf import settings

from tracing.codec.rules import DEFAULT_KEY_FIELDS, Rules, parse_mappings


def current_rules() -> Rules:
    """Return the codec's rules. Raises BadMappingError when the settings make no sense."""
    return _rules(settings.EVENTVIZ_MAPPINGS, tuple(settings.EVENTVIZ_KEY_FIELDS))


@functools.lru_cache(maxsize=4)
def _rules(mappings: str, key_fields: tuple[str, ...]) -> Rules:
    return Rules(
        mappings=parse_mappings(mappings.encode()), key_fields=key_fields or DEFAULT_KEY_FIELDS
    )
