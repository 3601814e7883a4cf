"""Editing a value: what is shown, what goes out, what is refused and where."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import JSON, share
from tracing.retry.editing import BadTextError, NotEditableError, check, edit, editable


@share(50)
@given(JSON, st.sampled_from([None, 2]))
def test_what_is_not_changed_goes_out_byte_for_byte(value: Any, indent: int | None) -> None:
    before = json.dumps(value, indent=indent).encode()

    if "\\u0000" not in json.dumps(value):
        edited = edit(before, editable(before).replace("\n", "\r\n"))
        assert (edited.value, edited.difference) == (before, "")


def test_one_line_stays_one_line_and_numbers_as_written() -> None:
    edited = edit(b'{"total":1.10,"id":1}', '{\n  "total": 2.50,\n  "id": 1\n}')

    assert edited.value == b'{"total":2.50,"id":1}'
    assert '-  "total": 1.10,' in edited.difference
    assert '+  "total": 2.50,' in edited.difference


def test_what_was_never_json_becomes_json() -> None:
    assert editable(b'{"total": oops}') == '{"total": oops}'
    assert edit(b'{"total": oops}', '{"total": 1}').value == b'{"total":1}'


@pytest.mark.parametrize(
    ("text", "line"), [('{\n "a": 1,\n}', 3), ("", 1), ('{"a": NaN}', 1), ("[" * 5_000, 1)]
)
def test_an_error_names_its_line(text: str, line: int) -> None:
    with pytest.raises(BadTextError) as caught:
        check(text)
    assert caught.value.line == line


def test_plain_text_goes_out_if_somebody_says_so() -> None:
    with pytest.raises(BadTextError):
        edit(b"hello", "good day")
    assert edit(b"hello", "good day", plain=True).value == b"good day"


@pytest.mark.parametrize("value", [None, b"\xff\xfe", b"a\x00b", b"x" * 2_000_000])
def test_what_is_no_text_cannot_be_edited(value: bytes | None) -> None:
    with pytest.raises(NotEditableError):
        editable(value)
