"""Strangers' bytes as JSON: exact where they are JSON, safe where they are not."""

from __future__ import annotations

import json

import pytest

from tracing.web.api import represent


def shown(raw: bytes | None, limit: int = 10_000) -> object:
    """Return a payload as a script reads it."""
    text = represent.encode({"payload": represent.value_of(raw, limit)})
    assert b"\n" not in text
    return json.loads(text)["payload"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a": [1, "x", null]}', {"a": [1, "x", None]}),
        (b'{\n  "a":\n 1\n}', {"a": 1}),
        (b'"text"', "text"),
        (b"12345678901234567890123", 12345678901234567890123),
        (b'"<script>\\u0000"', "<script>\x00"),
        (None, None),
        (b"", ""),
        (b"plain", "plain"),
        (b"nul \x00", "nul \x00"),
        (b"\xff\xfe", {"base64": "//4="}),
    ],
)
def test_a_payload_is_json_or_text_or_base64(raw: bytes | None, expected: object) -> None:
    assert shown(raw) == expected


@pytest.mark.parametrize("raw", [b'{"a": NaN}', b"Infinity", b"[1,", b"-", b"1e999", b'"\\ud800"'])
def test_what_is_almost_json_stays_text(raw: bytes) -> None:
    assert shown(raw) == raw.decode()


def test_json_of_absurd_depth_stays_text() -> None:
    raw = b"[" * 5_000 + b"]" * 5_000

    assert shown(raw, 100_000) == raw.decode()


def test_numbers_are_passed_on_as_they_were_written() -> None:
    text = represent.encode(
        represent.value_of(b'{"price": 1.10, "big": 0.1234567890123456789}', 99)
    )

    assert text == b'{"price":1.10,"big":0.1234567890123456789}'


def test_a_long_payload_is_cut_without_tearing_a_character() -> None:
    assert shown("ää".encode(), 3) == "ä"
    assert shown(b"[1, 2, 3]", 4) == "[1, "


def test_headers_keep_order_doubles_nulls_and_bytes() -> None:
    headers, cut = represent.headers_of(
        (("a", b"1"), ("a", b"\xff"), ("b", None), ("\ud800", b"")), 1_000
    )

    assert json.loads(represent.encode(headers)) == [
        ["a", "1"],
        ["a", {"base64": "/w=="}],
        ["b", None],
        ["?", ""],
    ]
    assert cut is False


def test_headers_are_bounded_together() -> None:
    headers, cut = represent.headers_of((("a", b"1"), ("b", b"2" * 100)), 50)

    assert headers == [("a", "1")]
    assert cut is True


def test_times_are_iso_in_utc_and_out_of_the_calendar_none() -> None:
    assert represent.moment(1_700_000_000_123_000) == "2023-11-14T22:13:20.123Z"
    assert represent.moment(1_700_000_000_123_456) == "2023-11-14T22:13:20.123456Z"
    assert represent.moment(0) == "1970-01-01T00:00:00.000Z"
    assert represent.moment(1 << 62) is None


def test_durations_are_milliseconds() -> None:
    assert represent.milliseconds(38_000) == 38
    assert represent.milliseconds(-1_500) == -1.5
