"""How long and how much is kept: what settings and the command line write about it."""

from __future__ import annotations

import re

from tracing.domain.errors import EventvizError

_AGE = re.compile(r"^(\d+)\s*([mhdw])$")
_UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$", re.IGNORECASE)


class BadAgeError(EventvizError):
    """Write an age such as 90m, 36h, 7d or 4w."""


class BadSizeError(EventvizError):
    """Write a size such as 500MB, 20GB or 10GiB, of a megabyte or more."""


def parse_age(text: str) -> int:
    """Return an age in milliseconds. Raises BadAgeError."""
    match = _AGE.match(text.strip().lower())
    if match is None or int(match[1]) == 0 or len(match[1]) > 6:
        raise BadAgeError(f"Not {text!r}.")
    return int(match[1]) * _UNIT_MS[match[2]]


def parse_size(text: str) -> int:
    """Return a size in bytes. Raises BadSizeError."""
    match = _SIZE.match(text.strip())
    if match is None:
        raise BadSizeError(f"Not {text!r}.")
    base = 1024 if match[3] else 1000
    size = int(float(match[1]) * base ** " kmgt".index(match[2].lower() or " "))
    if size < 1_000_000:
        raise BadSizeError(f"Not {text!r}.")
    return size
