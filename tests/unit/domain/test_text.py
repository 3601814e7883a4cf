"""Strangers' text is bounded and storable, and two texts stay two."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from tracing.domain.text import MAX_ID, clean, digest16, hash64, readable


@given(st.text(st.characters(codec=None), max_size=1_000))
def test_cleaned_text_can_be_stored_anywhere(raw: str) -> None:
    text = clean(raw)

    assert "\x00" not in text
    assert len(text) <= MAX_ID
    assert text.encode("utf-8").decode("utf-8") == text
    assert clean(text) == text


def test_long_ids_that_differ_at_the_end_stay_different() -> None:
    one, other = "x" * 5_000 + "1", "x" * 5_000 + "2"

    assert clean(one) != clean(other)


@given(st.binary(max_size=2_000))
def test_any_key_can_be_read(raw: bytes) -> None:
    assert len(readable(raw)) <= MAX_ID


def test_binary_keys_are_shown_as_hexadecimal() -> None:
    assert readable(b"\xff\x00") == "0xff00"


def test_hashes_fit_a_signed_64_bit_column() -> None:
    assert all(-(1 << 63) <= hash64(str(number)) < 1 << 63 for number in range(100))


@given(text=st.text())
def test_stored_hashes_stay_what_they_are(text: str) -> None:
    data = text.encode()
    key = hashlib.blake2b(data, digest_size=8).digest()

    assert hash64(text) == int.from_bytes(key, "big", signed=True)
    assert digest16(text) == hashlib.blake2b(data, digest_size=16).digest()
