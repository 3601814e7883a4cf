"""Filters as they stand in addresses: bounded text in, an address out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tracing.domain.errors import EventvizError
from tracing.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_AGE = re.compile(r"([0-9]{1,6})(s|m|h|d)")
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class BadTimeError(EventvizError):
    """A time is an age such as 15m, 2h or 7d, or ISO 8601 such as 2026-01-31T12:00:00Z."""


def known(parameters: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return the parameters of these names that are not empty, cleaned and bounded."""
    found = {name: clean(parameters.get(name, "").strip()) for name in names}
    return {name: text for name, text in found.items() if text}


def address(path: str, parameters: Mapping[str, str]) -> str:
    """Return a path with those parameters that are not empty."""
    query = urlencode({name: text for name, text in parameters.items() if text})
    return f"{path}?{query}" if query else path


def moment_ms(text: str, *, now_ms: int) -> int | None:
    """Return a time in milliseconds: an age before now, or ISO 8601 (UTC unless it says else).

    None for ''. Raises BadTimeError.
    """
    if not text:
        return None
    age = _AGE.fullmatch(text)
    if age:
        return now_ms - int(age[1]) * _UNITS_MS[age[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadTimeError(text[:40]) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000)
