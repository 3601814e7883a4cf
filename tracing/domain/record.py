"""A Kafka record as it was read, before anybody interprets it."""

from __future__ import annotations

import hashlib

import msgspec

# Kafka allows one header name several times and null values: never a dict.
Header = tuple[str, bytes | None]

# Kafka's timestamps are what the producer claims; beyond this no calendar can show them.
MAX_TIMESTAMP_MS = 253_402_300_799_000
# How much of an oversized value is kept.
PREFIX_BYTES = 64 * 1024


# Thousands of these live at once and none can be part of a cycle: the collector need not look.
class Record(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One record of a topic partition, byte for byte.

    `timestamp_ms` is Kafka's own, in milliseconds since 1970. A value longer than the limit is
    kept as a prefix; then `value_sha256` is the hash of the whole and `value_length` its length.
    A record that the client could not read at all has `error` and no bytes.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[Header, ...] = ()
    value_length: int = 0
    value_sha256: bytes | None = None
    error: str | None = None

    @property
    def coordinates(self) -> str:
        """Return `topic[partition]@offset`, which names the record in its cluster."""
        return f"{self.topic}[{self.partition}]@{self.offset}"

    @property
    def truncated(self) -> bool:
        """Tell whether only a prefix of the value is kept."""
        return self.value_sha256 is not None

    def header(self, name: str) -> bytes | None:
        """Return the last value of a header, or None; names are matched without case."""
        wanted = name.lower()
        for header, value in reversed(self.headers):
            if header.lower() == wanted:
                return value
        return None


def capped(value: bytes | None, limit: int) -> tuple[bytes | None, int, bytes | None]:
    """Return (value or its prefix, length of the whole, SHA-256 of the whole if it was cut)."""
    if value is None:
        return None, 0, None
    if len(value) <= limit:
        return value, len(value), None
    return value[:PREFIX_BYTES], len(value), hashlib.sha256(value).digest()
