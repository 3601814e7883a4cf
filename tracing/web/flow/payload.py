"""Payloads and headers as text for people: bounded, never evaluated, never trusted.

JSON is indented from its own tokens, without parsing it into objects: numbers keep their digits,
doubled names stay doubled, and no depth can break it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
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
# Names and places from the outside in.
Steps = tuple[str | int, ...]
_WRONG = "wrong-field"


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


def payload(raw: bytes | None, wrong: Collection[Steps] = ()) -> Shown | None:
    """Return a payload as JSON, text or hexadecimal lines; None when there is none.

    What lies at one of the steps `wrong` is marked.
    """
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
    pieces = _json(text, whole=whole, wrong=wrong)
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


def preview(record: Record, wrong: Collection[Steps] = ()) -> Shown | None:
    """Return a record's whole value, as text if it is some; `wrong` as of `payload`."""
    if record.value is None:
        return None
    shown = payload(record.value, wrong)
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


def _json(text: str, *, whole: bool, wrong: Collection[Steps]) -> list[Piece] | None:
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
    return list(_indented(tokens, wrong))


def _indented(tokens: list[tuple[str, str]], wrong: Collection[Steps]) -> Iterator[Piece]:
    depth = 0
    way = _Way(wrong)
    for index, (kind, text) in enumerate(tokens):
        following = tokens[index + 1][1] if index + 1 < len(tokens) else ""
        css = way.css(kind, text, following) if wrong else ""
        if text in {"{", "["}:
            depth += 1
            yield css, text if following in {"}", "]"} else text + _line(depth)
        elif text in {"}", "]"}:
            depth = max(depth - 1, 0)
            empty = index > 0 and tokens[index - 1][1] in {"{", "["}
            yield "", text if empty else _line(depth) + text
        elif text == ",":
            yield "", text + _line(depth)
        elif text == ":":
            yield "", ": "
        elif kind == "string" and following == ":":
            yield f"jk {css}".strip(), visible(text)
        else:
            yield f"{_KINDS.get(kind, '')} {css}".strip(), visible(text)


class _Way:
    """Where in a JSON text its tokens are, to mark the names and values that are wrong."""

    def __init__(self, wrong: Collection[Steps]) -> None:
        self._wrong = set(wrong)
        self._steps: list[str | int] = []
        self._lists: list[bool] = []

    def css(self, kind: str, text: str, following: str) -> str:
        """Return how a token is marked; tokens come in their order."""
        css = _WRONG if kind != "punctuation" and self._is_wrong(text, following) else ""
        if text in {"{", "["}:
            css = _WRONG if tuple(self._steps) in self._wrong else ""
            self._lists.append(text == "[")
            self._steps.append(0 if text == "[" else "")
        elif text in {"}", "]"} and self._lists:
            self._lists.pop()
            self._steps.pop()
        elif text == "," and self._lists and self._lists[-1]:
            self._steps[-1] = int(self._steps[-1]) + 1
        return css

    def _is_wrong(self, text: str, following: str) -> bool:
        if following == ":" and self._lists and not self._lists[-1]:
            try:
                self._steps[-1] = msgspec.json.decode(text.encode(), type=str)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._steps[-1] = text
        return tuple(self._steps) in self._wrong


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
