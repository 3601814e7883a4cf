"""Let kafka-python's producer write what Kafka allows and the client refuses.

Kafka's record format (KIP-98, version 2) knows header values that are null, and records with
neither key nor value. The client's builder writes both; only its checks before that do not let
them through. A copy of a record must be equal byte for byte, so both are led around the checks.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.serializer import Serializer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.domain.record import Header


class _Null(bytes):
    """Stands for a header's null value until the record is written."""


_NULL = _Null()


def writable(headers: Sequence[Header]) -> list[tuple[str, bytes]]:
    """Return headers that the client's checks let through; `install` first."""
    return [(name, _NULL if value is None else value) for name, value in headers]


class Wrapped(Serializer):  # type: ignore[misc]
    """Takes a value as a tuple of one, so that null is a value like any other."""

    def serialize(self, topic: str, headers: Any, data: tuple[bytes | None]) -> bytes | None:  # noqa: ARG002
        """Return the value itself."""
        return data[0]


@functools.cache
def install() -> None:
    """Teach the client's record builder what stands for null; once in a process."""
    append = DefaultRecordBatchBuilder.append

    def exact(
        self: Any, offset: int, timestamp: int | None, key: Any, value: Any, headers: Any
    ) -> Any:
        real = [(name, None if held is _NULL else held) for name, held in headers]
        return append(self, offset, timestamp, key, value, real)

    DefaultRecordBatchBuilder.append = exact
