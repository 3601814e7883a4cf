"""Avro, read with the schema that it was written with.

The schema comes from a registry and the bytes from anybody: no count in them may make more values
than they have bytes for, and no depth may reach the C stack (see `avro_shape`).
"""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Any

import fastavro
import fastavro.schema
import msgspec
from fastavro import _read_py as read_in_python

from tracing.codec.depth import too_deep
from tracing.codec.formats import logical
from tracing.codec.formats.avro_shape import check_shape
from tracing.codec.formats.readable import to_json
from tracing.codec.limits import MAX_DEPTH
from tracing.domain.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracing.codec.formats.schema import Schema

FORMAT = "Avro"
# A longer value is read with a count of its reads: each value takes one or more.
MAX_UNCOUNTED_BYTES = 64 * 1024
MAX_READS = 200_000

logical.install()

# What fastavro raises for bytes that do not fit the schema, and for schemas that are none.
_MISFITS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    fastavro.schema.SchemaParseException,
    fastavro.schema.UnknownType,
)


class _Reader(msgspec.Struct, frozen=True):
    """A parsed schema, and the function of fastavro that may read it."""

    schema: Any
    read: Callable[..., Any]


class _Counted(io.BytesIO):
    """Bytes that end the reading of one value after so many reads."""

    left = MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise DecodeError(f"The Avro value holds more than {MAX_READS:,} values.")
        return super().read(size)


def read(schema: Schema, body: bytes) -> bytes:
    """Return the value as JSON. Raises DecodeError."""
    reader = _reader(schema)
    if isinstance(reader, str):
        raise DecodeError(reader)
    source = io.BytesIO(body) if len(body) <= MAX_UNCOUNTED_BYTES else _Counted(body)
    try:
        return to_json(reader.read(source, reader.schema, None))
    except _MISFITS as error:
        raise DecodeError(_misfit(error)) from None


@functools.lru_cache(maxsize=1_000)
def _reader(schema: Schema) -> _Reader | str:
    """Return the schema parsed, or why it cannot be: that is worth remembering too."""
    named: dict[str, Any] = {}
    try:
        for _name, text in schema.references:
            fastavro.parse_schema(_parsed(text), named_schemas=named)
        parsed = fastavro.parse_schema(_parsed(schema.text), named_schemas=named)
        recursive = check_shape(parsed, named)
    except DecodeError as error:
        return error.reason
    except _MISFITS:
        return "The Avro schema cannot be used: it is none, or a type that it names is missing."
    # The one in C would let a deep value overrun the stack; the one in Python notices.
    way = read_in_python if recursive else fastavro
    return _Reader(parsed, way.schemaless_reader)


def _parsed(text: str) -> Any:
    raw = text.encode()
    if too_deep(raw):
        raise DecodeError("The Avro schema nests too deep.")
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        # A primitive's bare name is a schema too.
        return text.strip()


def _misfit(error: BaseException) -> str:
    """Return what is wrong, in words of our own: fastavro's hold addresses in memory."""
    if isinstance(error, RecursionError):
        return f"The value nests deeper than {MAX_DEPTH} levels."
    if isinstance(error, EOFError):
        return "The value does not fit its Avro schema: it ends too early."
    if isinstance(error, UnicodeDecodeError):
        return "The value does not fit its Avro schema: a text is not UTF-8."
    return "The value does not fit its Avro schema."
