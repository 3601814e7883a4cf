"""The records of the log, decoded where somebody looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.codec import Decoded, decode
from tracing.codec.decode import payloads
from tracing.domain.errors import DecodeError
from tracing.domain.record import Record
from tracing.projections import record_log
from tracing.projections.names import names
from tracing.projections.settings import current_rules, look_for_schemas

if TYPE_CHECKING:
    from collections.abc import Iterable


class StoredRecord(msgspec.Struct, frozen=True):
    """A record's bytes; `payload` is what its envelope carries, None if there is none.

    `format` and `schema` (its id) are those of the record's frame, empty without one.
    """

    record: Record
    payload: bytes | None
    format: str = ""
    schema: str = ""


def stored_record(record_id: int, part: int) -> StoredRecord | None:
    """Return the bytes of an event's record, None when it is not (or no longer) stored."""
    record = stored_records([record_id]).get(record_id)
    if record is None:
        return None
    said = decode_stored(record)
    payload = said.payloads[part] if part < len(said.payloads) else None
    return StoredRecord(record, payload, said.format, said.schema)


def decode_stored(record: Record) -> Decoded:
    """Decode a stored record, by a schema too that another process has fetched this very moment.

    One query for a record whose schema is not known here, else none.
    """
    said = decode(record, current_rules())
    if any(event.awaits for event in said.events):
        look_for_schemas()
        said = decode(record, current_rules())
    return said


def payloads_of(records: Iterable[Record]) -> list[tuple[bytes | None, ...]]:
    """Return what each event of stored records carries, of records that could be decoded."""
    rules = current_rules()
    found = []
    for record in records:
        try:
            found.append(payloads(record, rules))
        except (DecodeError, UnicodeDecodeError, msgspec.DecodeError):
            # Its schema came a moment ago, or the rules changed since.
            found.append(decode_stored(record).payloads)
    return found


def stored_records(record_ids: Iterable[int]) -> dict[int, Record]:
    """Return many records by their ids. Two queries by primary key at most."""
    found = record_log.by_id(record_ids)
    return {number: record_log.record_of(row, names()) for number, row in found.items()}
