"""Text from strangers: bounded and storable, without losing which is which."""

from __future__ import annotations

import hashlib
import struct

MAX_ID = 400
MAX_LABEL = 200


def clean(raw: str, limit: int = MAX_ID) -> str:
    """Return text that every database takes and every page can show.

    NUL (refused by Postgres) becomes its visible sign, lone surrogates the replacement sign.
    Longer text keeps a prefix and a digest of the whole, so two long ids stay two ids.
    """
    if len(raw) <= limit and raw.isascii() and "\x00" not in raw:
        return raw
    text = raw.replace("\x00", "\u2400").encode("utf-8", "replace").decode("utf-8")
    if len(text) <= limit:
        return text
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return f"{text[: limit - 17]}…{digest}"


def readable(raw: bytes, limit: int = MAX_ID) -> str:
    """Return bytes as text if they are UTF-8, else as `0x…` hexadecimal; bounded."""
    try:
        return clean(raw.decode("utf-8"), limit)
    except UnicodeDecodeError:
        return clean("0x" + (raw[: limit + 1]).hex(), limit)


# Copied for each text: to set one up costs half of a short text's hash.
_BLAKE_16 = hashlib.blake2b(digest_size=16)
_BLAKE_8 = hashlib.blake2b(digest_size=8)
_as_signed = struct.Struct(">q").unpack


def digest16(text: str) -> bytes:
    """Return 16 bytes that stand for an id in sets of facts (BLAKE2b)."""
    hashed = _BLAKE_16.copy()
    hashed.update(text.encode())
    return hashed.digest()


def hash64(text: str) -> int:
    """Return a signed 64-bit index key; the full text decides (BLAKE2b)."""
    hashed = _BLAKE_8.copy()
    hashed.update(text.encode())
    number: int = _as_signed(hashed.digest())[0]
    return number
