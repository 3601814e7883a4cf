"""What a record's value holds, once its frame is off: the way of every record into the dialects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.codec.formats import avro, framing, json_schema
from tracing.codec.formats.schema import SchemaNotKnownError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracing.codec.formats.schema import Schema, SchemaOf
    from tracing.domain.record import Record

# The formats that a schema's type names. Of any other type the bytes are shown as they are.
_READERS: dict[str, tuple[str, Callable[[Schema, bytes], bytes]]] = {
    "AVRO": (avro.FORMAT, avro.read),
    "JSON": (json_schema.FORMAT, json_schema.read),
}


class Content(msgspec.Struct, frozen=True, gc=False):
    """A value as the dialects see it; `format` and `schema` are empty for one without a frame."""

    value: bytes | None
    format: str = ""
    schema: str = ""


def content(record: Record, schema_of: SchemaOf | None) -> Content:
    """Return the value without its frame, as JSON where it can be.

    Without `schema_of` (no registry is set) only JSON is told by what it is; everything else
    stays bytes. Raises SchemaNotKnownError, and DecodeError for what does not fit its schema.
    """
    framed = framing.find(record)
    if framed is None:
        return Content(record.value)
    # First, and whatever is known by then: the answer must not depend on when it is asked.
    if json_schema.is_json(framed.body):
        return Content(framed.body, json_schema.FORMAT, framed.ref.label)
    if schema_of is None:
        return Content(record.value)
    schema = schema_of(framed.ref)
    if schema is None:
        raise SchemaNotKnownError(framed.ref)
    name, read = _READERS.get(schema.type, ("", None))
    if read is None:
        return Content(record.value, schema.type.capitalize(), framed.ref.label)
    return Content(read(schema, framed.body), name, framed.ref.label)
