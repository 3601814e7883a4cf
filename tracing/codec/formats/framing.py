"""How records name their schema: a prefix before the value, or a header.

Confluent's prefix is 0x00 and a 4-byte id, or 0x01 and a 16-byte GUID; its headers hold the same
bytes. Apicurio's headers hold 8-byte numbers. All are big-endian. Sources: the wire format in
Confluent's schema registry documentation, `SchemaId` of its clients, and Apicurio's serdes.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import msgspec

from tracing.codec.formats.schema import SchemaRef

if TYPE_CHECKING:
    from tracing.domain.record import Record

CONFLUENT_HEADER = "__value_schema_id"

_ID_END = 5
_GUID_END = 17


class Framed(msgspec.Struct, frozen=True):
    """A value without its frame, and the schema that the frame names."""

    ref: SchemaRef
    body: bytes


def find(record: Record) -> Framed | None:
    """Return what the record's headers or the value's first bytes name, None for neither."""
    value = record.value
    if not value:
        return None
    if value[0] > 1 and not record.headers:
        return None
    for name, raw in record.headers:
        if raw is not None and name in _READERS:
            ref = _READERS[name](raw)
            if ref is not None:
                return Framed(ref, value)
    if value[0] > 1:
        return None
    ref = _confluent(value)
    return None if ref is None else Framed(ref, value[_ID_END if ref.kind == "id" else _GUID_END :])


def _confluent(raw: bytes) -> SchemaRef | None:
    """Return the id or GUID that begins these bytes. Registries number from 1."""
    if raw[:1] == b"\x00" and len(raw) >= _ID_END:
        number = int.from_bytes(raw[1:_ID_END], "big")
        return SchemaRef("id", str(number)) if 0 < number < 1 << 31 else None
    if raw[:1] == b"\x01" and len(raw) >= _GUID_END:
        return SchemaRef("guid", str(uuid.UUID(bytes=raw[1:_GUID_END])))
    return None


def _global(raw: bytes) -> SchemaRef | None:
    number = _number(raw)
    return None if number is None else SchemaRef("global", number)


def _content(raw: bytes) -> SchemaRef | None:
    number = _number(raw)
    return None if number is None else SchemaRef("content", number)


def _number(raw: bytes) -> str | None:
    return str(int.from_bytes(raw, "big")) if len(raw) == 8 and raw[0] < 0x80 else None


_READERS = {
    CONFLUENT_HEADER: _confluent,
    "apicurio.value.globalId": _global,
    "apicurio.value.contentId": _content,
}
