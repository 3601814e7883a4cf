"""JSON in a schema's frame: the schema says nothing that is needed to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tracing.codec.formats.schema import Schema

FORMAT = "JSON Schema"


def read(schema: Schema, body: bytes) -> bytes:  # noqa: ARG001 - the shape of every format
    """Return the JSON, which is checked by who reads it."""
    return body


def is_json(body: bytes) -> bool:
    """Tell whether this is a JSON object or array from its first byte to its last.

    No binary format gives that by accident. JSON too deep to be checked counts: whoever reads
    it refuses it for its depth.
    """
    if body.lstrip()[:1] not in {b"{", b"["}:
        return False
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except RecursionError:
        return True
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
