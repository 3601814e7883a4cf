"""Records keep their headers as they are and bound their values."""

from __future__ import annotations

import hashlib

from tracing.domain.record import PREFIX_BYTES, Record, capped


def test_a_value_within_the_limit_is_kept_whole() -> None:
    assert capped(b"abc", 3) == (b"abc", 3, None)


def test_a_longer_value_keeps_a_prefix_its_length_and_its_hash() -> None:
    value = b"x" * (PREFIX_BYTES + 1)

    assert capped(value, 100) == (
        value[:PREFIX_BYTES],
        len(value),
        hashlib.sha256(value).digest(),
    )


def test_the_last_of_several_headers_with_one_name_counts() -> None:
    record = Record(
        topic="t",
        partition=0,
        offset=0,
        timestamp_ms=0,
        headers=(("Source", b"a"), ("source", b"b"), ("other", None)),
    )

    assert record.header("SOURCE") == b"b"
    assert record.header("other") is None
    assert record.coordinates == "t[0]@0"
