"""How wide a text is, and what of it fits: SVG neither wraps nor cuts.

Nobody knows which font the browser takes, so widths are estimated from classes of letters, and a
text that nearly fills its room carries the length it must take (`textLength`): any font is then
squeezed or stretched by a few percent instead of running over what stands beside it.
"""

from __future__ import annotations

import functools
import re
import unicodedata

import msgspec

_WIDTHS = (
    ("iIljt.,:;'|!`", 0.31),
    ('fr()[]{}-/\\ "*', 0.39),
    ("mwMW@%…", 0.9),
    ("0123456789", 0.62),
)
_BY_LETTER = {letter: width for letters, width in _WIDTHS for letter in letters}
_LOWER, _UPPER, _WIDE, _OTHER = 0.585, 0.68, 1.05, 0.68
# A monospaced letter's width as a part of the font size.
MONO = 0.605
# From this part of the room on, a text's length is prescribed.
_SNUG = 0.8
_SEGMENT = re.compile(r"(?<=[./:#\\])(?=[^./:#\\])")


class Fitted(msgspec.Struct, frozen=True):
    """A text that fits its room; `length` is the width it must be squeezed to, or None."""

    text: str
    length: float | None


def width(text: str, size: float) -> float:
    """Return the estimated width of a text in px at a font size, in a semibold sans serif."""
    return sum(_letter(letter) for letter in text) * size


def _letter(letter: str) -> float:
    known = _BY_LETTER.get(letter)
    if known is not None:
        return known
    if letter.isascii():
        return _UPPER if letter.isupper() or letter in "&#$~+=<>?_" else _LOWER
    if unicodedata.combining(letter):
        return 0.0
    return _WIDE if unicodedata.east_asian_width(letter) in "WF" else _OTHER


@functools.lru_cache(maxsize=4_000)
def fit(text: str, size: float, room: float) -> Fitted:
    """Return the text, shortened at its end to fit `room` px."""
    return _snug(text if width(text, size) <= room else _cut(text, size, room), size, room)


@functools.lru_cache(maxsize=4_000)
def fit_name(name: str, size: float, room: float) -> Fitted:
    """Return a type's name, shortened where it says least.

    A namespace goes first (`…orders.OrderPlaced`), then the middle of the word: its end tells
    what happened.
    """
    flat = " ".join(name.split())
    if width(flat, size) <= room:
        return _snug(flat, size, room)
    segments = _SEGMENT.split(flat[:1_000])
    for first in range(1, len(segments)):
        shorter = "…" + "".join(segments[first:])
        if width(shorter, size) <= room:
            return _snug(shorter, size, room)
    return _snug(_cut(segments[-1] or flat, size, room, tail=0.45), size, room)


def _cut(text: str, size: float, room: float, *, tail: float = 0.0) -> str:
    """Return the beginning and, for `tail` of the room, the end of a text around an ellipsis."""
    left = room - width("…", size)
    end = _fitting(text[::-1], size, left * tail)[::-1]
    return _fitting(text, size, left - width(end, size)).rstrip() + "…" + end


def _fitting(text: str, size: float, room: float) -> str:
    used = 0.0
    for index, letter in enumerate(text):
        used += _letter(letter) * size
        if used > room:
            return text[:index]
    return text


def _snug(text: str, size: float, room: float) -> Fitted:
    needed = width(text, size)
    return Fitted(text, round(min(needed, room), 1) if needed > room * _SNUG else None)
