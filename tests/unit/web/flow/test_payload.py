"""Payloads of strangers, as people read them."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import JSON, share
from tracing.domain.record import Record
from tracing.web.flow import payload
from tracing.web.flow.payload import Shown


def text(shown: Shown | None) -> str:
    """Return all that is shown."""
    assert shown is not None
    return "".join(piece for _, piece in shown.pieces)


def test_it_indents_json_and_keeps_its_figures_as_they_were_written() -> None:
    shown = payload.payload(
        b'{"amount":129.90,"big":12345678901234567890,"a":1,"a":[],"b":{"c":[1]}}'
    )

    assert text(shown) == (
        '{\n  "amount": 129.90,\n  "big": 12345678901234567890,\n  "a": 1,\n  "a": [],\n'
        '  "b": {\n    "c": [\n      1\n    ]\n  }\n}'
    )
    assert shown is not None
    assert ("jk", '"amount"') in shown.pieces
    assert ("jn", "129.90") in shown.pieces


@share(50)
@given(JSON)
def test_what_it_shows_of_json_means_the_same(value: object) -> None:
    shown = payload.payload(json.dumps(value, ensure_ascii=False).encode())

    assert shown is not None
    assert shown.kind == "JSON"
    assert json.loads(text(shown)) == value


@given(st.binary(max_size=3_000))
def test_it_bears_any_bytes(raw: bytes) -> None:
    shown = payload.payload(raw)

    assert shown is not None
    assert shown.size == len(raw)


def test_it_bears_json_of_any_depth() -> None:
    shown = payload.payload(b"[" * 5_000 + b"]" * 5_000)

    assert shown is not None
    assert len(text(shown)) <= payload.MAX_SHOWN


def test_it_shows_the_beginning_of_a_large_payload_and_says_so() -> None:
    shown = payload.payload(json.dumps({"blob": ["é" * 40] * 20_000}, ensure_ascii=False).encode())

    assert shown is not None
    assert shown.cut
    assert shown.kind == "JSON"
    assert len(text(shown)) <= payload.MAX_SHOWN


def test_bytes_that_are_no_text_are_shown_as_hexadecimal() -> None:
    shown = payload.payload(b"\x00\x01\xffabc")

    assert text(shown) == "0000  00 01 ff 61 62 63        ···abc"


def test_text_that_turns_the_line_around_is_shown_as_its_escape() -> None:
    assert text(payload.payload('"\u202eabc\x00"'.encode())) == '"\\u202eabc\\u0000"'
    assert text(payload.payload("plain \u2066x".encode())) == "plain \\u2066x"


def test_text_that_only_begins_like_json_is_shown_as_text() -> None:
    shown = payload.payload(b"{broken")

    assert shown is not None
    assert (shown.kind, text(shown)) == ("text", "{broken")


def test_no_payload_is_none() -> None:
    assert payload.payload(None) is None


def test_a_cut_record_says_how_large_it_was() -> None:
    record = Record(
        topic="t",
        partition=0,
        offset=0,
        timestamp_ms=0,
        value=b'{"a":',
        value_length=5_000_000,
        value_sha256=b"x" * 32,
    )

    shown = payload.preview(record)

    assert shown is not None
    assert (shown.cut, shown.size) == (True, 5_000_000)


def test_headers_keep_their_order_doubles_and_nulls() -> None:
    lines, more = payload.headers((("a", b"1"), ("a", None), ("b", b"\xff\x00"), ("c\u202e", b"")))

    assert [(line.name, line.value) for line in lines] == [
        ("a", "1"), ("a", None), ("b", "0xff00"), ("c\\u202e", ""),
    ]  # fmt: skip
    assert more == 0


def test_too_many_headers_are_counted() -> None:
    lines, more = payload.headers((("a", b"1"),) * 130)

    assert (len(lines), more) == (payload.MAX_HEADERS, 30)
