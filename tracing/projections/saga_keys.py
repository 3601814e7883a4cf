"""Which saga an event is part of: its number in every table."""

from __future__ import annotations

import msgspec

from tracing.domain.text import digest16


class SagaKey(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One instance of a definition: `id` is a digest of the other three."""

    id: str
    definition: str
    rule: str
    key: str


def saga_key(definition: str, rule: str, key: str) -> SagaKey:
    """Return the identity of the instance that bears this key."""
    return SagaKey(digest16(f"{definition}\n{rule}\n{key}").hex(), definition, rule, key)
