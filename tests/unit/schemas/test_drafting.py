"""What is written in the editor: JSON stays, YAML becomes JSON, errors name their line."""

from __future__ import annotations

import json

import pytest

from tracing.schemas.drafting import written
from tracing.schemas.errors import BadSchemaError
from tracing.schemas.registry import Reference

ENTRY = """\
# as a tutorial writes it
version: 2
namespace: shop
type: record
name: OrderPlaced
fields:
  - name: orderId
    type: string
  - name: country
    type: string
    default: NO
  - {name: total, type: double, default: 1e3}
  - {name: day, type: string, default: 2026-01-31}
  - {name: note, type: ["null", string], default: null}
  - {name: gift, type: boolean, default: false}
"""


def test_a_tutorials_entry_becomes_avro() -> None:
    found = written(ENTRY, "AVRO")

    value = json.loads(found.draft.text)
    assert found.version == "2"
    assert list(value) == ["namespace", "type", "name", "fields"]
    # Norway stays a country, a day stays a word.
    assert [field.get("default") for field in value["fields"]] == [
        None,
        "NO",
        1000.0,
        "2026-01-31",
        None,
        False,
    ]


def test_json_stays_as_it_is_written() -> None:
    text = '{\n "type":"record" , "name":"A","fields":[]}'

    assert written(text, "AVRO").draft.text == text


@pytest.mark.parametrize("text", ["string", '"string"', ' ["null", "string"]'])
def test_short_schemas_are_json(text: str) -> None:
    assert written(text, "AVRO").draft.text == text


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{"type": "record",\n "name": }', 2, "Expecting value"),
        ("type: record\n name: A", 2, "not allowed"),
        ("type: record\nfields:\n  - name: a\n   type: b", 4, "Line 4"),
        ("a: &x 1\nb: *x", 1, "anchors"),
        ("a: !!python/object:os.system 1", 1, "tags"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("a: 1\nb: 2\na: 3", 3, "written twice, first in line 1"),
        ("1: 2", 1, "a name is expected"),
        ("a: " + "[" * 200, 1, "deeper than"),
        ("a\x00b: 1", 0, "neither YAML nor JSON"),
        ("", 0, "empty"),
        ("a: " + "b" * 1_000_001, 0, "longer than"),
    ],
)
def test_an_error_names_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(BadSchemaError) as raised:
        written(text, "AVRO")

    assert raised.value.line == line
    assert words in raised.value.detail


def test_references_are_lines_of_name_subject_and_version() -> None:
    found = written("string", "AVRO", "shop.Money money-value 3\n\n")

    assert found.draft.references == (Reference("shop.Money", "money-value", 3),)
    with pytest.raises(BadSchemaError, match="References, line 2"):
        written("string", "AVRO", "a b 1\nc d")
