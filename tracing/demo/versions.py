"""Versions of what the shop says: which ones a service knows, and how it reads an older one."""

from __future__ import annotations

from typing import Final

import msgspec

from tracing.demo.publishing import ShopEvent

# The schemas are in `schemas/`. A type that is not here has one version.
KNOWN: Final = {"OrderPlaced": ("1", "2")}
NEWEST: Final = "2"
# The form can send it; nobody registered it and nobody knows it.
UNKNOWN: Final = "3"
# What version 1 of OrderPlaced meant without saying so.
DEFAULT_CURRENCY: Final = "EUR"


class UnknownVersionError(Exception):
    """An event has a version that this service does not know."""


def understood(event: ShopEvent) -> ShopEvent:
    """Return an event as its newest version says it. Raises UnknownVersionError."""
    known = KNOWN.get(event.event_type)
    version = str(event.schema_version).removeprefix("v")
    if known is None or version == known[-1]:
        return event
    if version not in known:
        said = " and ".join(known)
        raise UnknownVersionError(
            f"{event.event_type} version {version[:20]} is not known here, only {said}"
        )
    return msgspec.structs.replace(event, payload={"currency": DEFAULT_CURRENCY} | event.payload)
