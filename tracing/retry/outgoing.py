"""What a stored record becomes when it is sent again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.codec.failure_headers import is_failure_header

if TYPE_CHECKING:
    from tracing.domain.record import Header, Record

RETRY_ID = "eventviz-retry-id"


class Outgoing(msgspec.Struct, frozen=True):
    """The bytes that are sent: those that are stored, but for what the failure added."""

    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]


def outgoing(record: Record, retry_id: str, edited: bytes | None = None) -> Outgoing:
    """Return a stored record as it is sent again; `edited` stands in for its value.

    Key, value and every header that no failure left stay byte for byte, with order, duplicates
    and nulls; the id by which the new record is found comes last.
    """
    kept = tuple(header for header in record.headers if not is_failure_header(header[0]))
    value = record.value if edited is None else edited
    return Outgoing(record.key, value, (*kept, (RETRY_ID, retry_id.encode())))


def retry_id_of(record: Record) -> str | None:
    """Return the id with which a record was sent again, None for one that was not, bounded."""
    raw = record.header(RETRY_ID)
    if raw is None or len(raw) > 64:
        return None
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        return None


def why_not(record: Record) -> str:
    """Return why a record cannot be had from our log, '' if it can."""
    if record.error is not None:
        return "the record could not be read from the broker: our log has only its place"
    if record.truncated:
        size = f"{record.value_length:,}"
        return f"its value of {size} bytes is larger than what is stored: our log has a prefix"
    return ""
