"""A value that a person changes before it is sent again: text in, bytes and the difference out."""

from __future__ import annotations

import difflib
import json

import msgspec

from tracing.codec.depth import too_deep
from tracing.domain.errors import EventvizError

MAX_EDITED = 1024 * 1024


class NotEditableError(EventvizError):
    """This value cannot be edited here."""


class BadTextError(EventvizError):
    """The text is not JSON."""

    def __init__(self, words: str, line: int) -> None:
        """Say what is wrong and in which line, counted from 1."""
        super().__init__()
        self.args = (words,)
        self.line = line


class Edited(msgspec.Struct, frozen=True):
    """The bytes to send, and what was changed as lines with - and +; '' when nothing was."""

    value: bytes
    difference: str


def editable(value: bytes | None) -> str:
    """Return a value as text to edit: JSON indented, other text as it is.

    Raises NotEditableError for what is no text, or too long.
    """
    if value is None:
        raise NotEditableError("The record has no value.")
    if len(value) > MAX_EDITED:
        raise NotEditableError(f"It is longer than {MAX_EDITED:,} bytes.")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise NotEditableError("It is binary; it can be sent again as it is.") from None
    if "\x00" in text:
        raise NotEditableError("It is binary; it can be sent again as it is.")
    try:
        return msgspec.json.format(text, indent=2) if _is_json(text) else text
    except msgspec.DecodeError:
        return text


def edit(before: bytes | None, text: str, *, plain: bool = False) -> Edited:
    """Return what a person made of a value. `plain` sends what is not JSON too.

    JSON that stood on one line goes out on one line, numbers as they are written. Raises
    BadTextError, and NotEditableError.
    """
    shown = editable(before)
    # Browsers send line ends as CR LF.
    text = text.replace("\r\n", "\n")
    if len(text.encode("utf-8", "replace")) > MAX_EDITED:
        raise NotEditableError(f"It is longer than {MAX_EDITED:,} bytes.")
    if not plain:
        check(text)
    if text.rstrip() == shown.rstrip():
        return Edited(before or b"", "")
    out = text
    if not plain and b"\n" not in (before or b"").strip():
        out = msgspec.json.format(text, indent=-1)
    lines = difflib.unified_diff(shown.splitlines(), text.splitlines(), lineterm="", n=2)
    return Edited(out.encode("utf-8", "replace"), "\n".join(list(lines)[2:]))


def check(text: str) -> None:
    """Raise BadTextError, with the line, for what is not JSON."""
    if too_deep(text.encode("utf-8", "replace")):
        raise BadTextError("nested too deep", 1)
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        words = f"line {error.lineno}, column {error.colno}: {error.msg.lower()}"
        raise BadTextError(words, error.lineno) from None
    except (ValueError, RecursionError) as error:
        raise BadTextError(str(error), 1) from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _is_json(text: str) -> bool:
    try:
        check(text)
    except BadTextError:
        return False
    return True
