"""Payloads and headers as text for people: bounded, never evaluated, never trusted.

JSON is indented from its own tokens, without parsing it into objects: numbers keep their digits,
doubled names stay doubled, and no depth can break it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
from django.template.defaultfilters import filesizeformat

from tracing.domain.text import readable

if TYPE_CHECKING:
    from tracing.domain.record import Header, Record

# So much text is shown; the rest is in the API.
MAX_SHOWN = 64 * 1024
MAX_HEX = 2 * 1024
MAX_HEADERS = 100
_MAX_INDENT = 40
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)|(?P<punctuation>[{}\[\],:])|(?P<string>"(?:[^"\\]|\\.)*")"""
    r"""|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<literal>true|false|null)""",
    re.S,
)
# Invisible letters that turn text around or end it: shown as their escapes.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_KINDS = {"string": "js", "number": "jn", "literal": "jl"}

# (CSS class or '', text)
Piece = tuple[str, str]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What of a payload is shown. `cut` says that there is more; `size` is the whole in bytes."""

    kind: str
    pieces: list[Piece]
    size: int
    cut: bool


class HeaderLine(msgspec.Struct, frozen=True):
    """A header as shown; `value` is None for Kafka's null."""

    name: str
    value: str | None


def payload(raw: bytes | None) -> Shown | None:
    """Return a payload as JSON, text or hexadecimal lines; None when there is none."""
    if raw is None:
        return None
    try:
        text = raw[:MAX_SHOWN].decode("utf-8")
    except UnicodeDecodeError as error:
        if len(raw) <= MAX_SHOWN or error.start < MAX_SHOWN - 4:
            return hexadecimal(raw)
        # The bound cut a letter in the middle.
        text = raw[: error.start].decode("utf-8")
    whole = len(raw) <= MAX_SHOWN
    pieces = _json(text, whole=whole)
    if pieces is None:
        return Shown(kind="text", pieces=[("", visible(text))], size=len(raw), cut=not whole)
    kept = _bounded(pieces)
    return Shown(kind="JSON", pieces=kept[0], size=len(raw), cut=kept[1] or not whole)


def hexadecimal(raw: bytes) -> Shown:
    """Return bytes as lines of eight, with their ASCII letters beside them."""
    lines = []
    for start in range(0, min(len(raw), MAX_HEX), 8):
        row = raw[start : start + 8]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in row)
        lines.append(f"{start:04x}  {row.hex(' '):<23}  {letters}")
    return Shown(
        kind="bytes", pieces=[("", "\n".join(lines))], size=len(raw), cut=len(raw) > MAX_HEX
    )


def preview(record: Record) -> Shown | None:
    """Return the value of a record that cannot be decoded, as text if it is some."""
    if record.value is None:
        return None
    shown = payload(record.value)
    if shown is None or not record.truncated:
        return shown
    return msgspec.structs.replace(shown, size=record.value_length, cut=True)


def words(record: Record) -> str:
    """Return what a record's value is: `plain text, 15 bytes`."""
    shown = preview(record)
    if shown is None:
        return "it has no value"
    kind = {"text": "plain text", "bytes": "neither JSON nor text"}.get(shown.kind, shown.kind)
    return f"{kind}, {filesizeformat(shown.size)}".replace("\xa0", " ")


def headers(given: tuple[Header, ...]) -> tuple[list[HeaderLine], int]:
    """Return the headers in order, doubled ones and nulls too, and how many are left out."""
    lines = [
        HeaderLine(visible(name[:200]), None if value is None else visible(readable(value)))
        for name, value in given[:MAX_HEADERS]
    ]
    return lines, max(len(given) - MAX_HEADERS, 0)


def visible(text: str) -> str:
    """Return text in which no invisible letter is left."""
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _json(text: str, *, whole: bool) -> list[Piece] | None:
    """Return JSON in indented pieces, None for text that is no JSON."""
    if text.lstrip()[:1] not in {"{", "[", '"'} and not _TOKEN.fullmatch(text.strip()):
        return None
    tokens: list[tuple[str, str]] = []
    place = 0
    while match := _TOKEN.match(text, place):
        place = match.end()
        if match.lastgroup != "space":
            tokens.append((match.lastgroup or "", match[0]))
    if place < len(text):
        # Of a cut text, the last token may be half: it is shown as it stands.
        if whole:
            return None
        tokens.append(("rest", text[place:]))
    return list(_indented(tokens))


def _indented(tokens: list[tuple[str, str]]) -> Iterator[Piece]:
    depth = 0
    for index, (kind, text) in enumerate(tokens):
        following = tokens[index + 1][1] if index + 1 < len(tokens) else ""
        if text in {"{", "["}:
            depth += 1
            yield "", text if following in {"}", "]"} else text + _line(depth)
        elif text in {"}", "]"}:
            depth = max(depth - 1, 0)
            empty = index > 0 and tokens[index - 1][1] in {"{", "["}
            yield "", text if empty else _line(depth) + text
        elif text == ",":
            yield "", text + _line(depth)
        elif text == ":":
            yield "", ": "
        elif kind == "string" and following == ":":
            yield "jk", visible(text)
        else:
            yield _KINDS.get(kind, ""), visible(text)


def _line(depth: int) -> str:
    return "\n" + "  " * min(depth, _MAX_INDENT)


def _bounded(pieces: list[Piece]) -> tuple[list[Piece], bool]:
    """Return what fits, and whether something was left out; joins what has no colour."""
    kept: list[Piece] = []
    room = MAX_SHOWN
    for css, text in pieces:
        if len(text) > room:
            kept.append((css, text[:room]))
            return kept, True
        room -= len(text)
        if kept and not css and not kept[-1][0]:
            kept[-1] = ("", kept[-1][1] + text)
        else:
            kept.append((css, text))
    return kept, False
