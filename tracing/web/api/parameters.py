"""Query parameters, checked: a wrong one is answered by its name and what it may be."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tracing.domain.errors import EventvizError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_TEXT = 400
# So many of the values that a parameter may have are named.
MAX_OPTIONS = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE = re.compile(r"(?<=:\d\d) (\d\d:?\d\d)$")


class BadParameterError(EventvizError):
    """A parameter is wrong."""

    def __init__(self, name: str, expected: str) -> None:
        """Say which one and what it may be."""
        super().__init__()
        self.args = (f"{name}: {expected}",)


def check_known(given: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse parameters that nobody reads: a typing error would otherwise filter nothing."""
    for name in given:
        if name not in known:
            raise BadParameterError(name[:50], f"unknown; there are {', '.join(sorted(known))}.")


def text(given: Mapping[str, str], name: str) -> str:
    """Return a text, '' when absent."""
    value = given.get(name, "")
    if len(value) > MAX_TEXT:
        raise BadParameterError(name, f"at most {MAX_TEXT} characters.")
    # No stored text holds NUL, and Postgres refuses to compare with it.
    return value.replace("\x00", "\u2400")


def choice(given: Mapping[str, str], name: str, options: Collection[str]) -> str:
    """Return one of the options, '' when absent."""
    value = given.get(name, "")
    if value and value not in options:
        named = ", ".join(list(options)[:MAX_OPTIONS])
        more = len(options) - MAX_OPTIONS
        raise BadParameterError(name, f"one of {named}{f' and {more:,} more' if more > 0 else ''}.")
    return value


def whole(given: Mapping[str, str], name: str) -> int | None:
    """Return a whole number of 0 or more, None when absent."""
    value = given.get(name, "")
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise BadParameterError(name, "a whole number, 0 or more.")
    return int(value)


def limit(given: Mapping[str, str]) -> int:
    """Return how many are wanted: 1 to 200, 50 when absent."""
    value = whole(given, "limit")
    if value is None:
        return DEFAULT_LIMIT
    if not 1 <= value <= MAX_LIMIT:
        raise BadParameterError("limit", f"1 to {MAX_LIMIT}.")
    return value


def time_ms(given: Mapping[str, str], name: str) -> int | None:
    """Return milliseconds since 1970 of ISO 8601 (UTC if it names no zone) or of such a number."""
    value = given.get(name, "")
    if not value:
        return None
    if value.isascii() and value.isdigit() and len(value) <= 15:
        return int(value)
    try:
        if value.isdigit():
            raise ValueError
        # In a query string an unescaped "+" of a zone arrives as a space.
        moment = datetime.fromisoformat(_ZONE.sub(r"+\1", value))
    except ValueError:
        expected = "ISO 8601 such as 2026-01-31T12:00:00Z, or milliseconds since 1970."
        raise BadParameterError(name, expected) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int((moment - _EPOCH).total_seconds() * 1_000)
