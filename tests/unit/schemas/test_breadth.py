"""How wide a JSON Schema is: counted before a validator follows each of its ways."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tracing.codec.formats.schema import Schema
from tracing.codec.limits import MAX_DEPTH
from tracing.schemas.breadth import MAX_PARTS, Reach, reach
from tracing.schemas.checking import UncheckableError, check
from tracing.schemas.errors import BadSchemaError

TEXT = {"type": "string"}


def doubling(times: int, key: str = "anyOf") -> dict[str, Any]:
    """Return a schema of a line for each time that what describes a value doubles."""
    steps = {f"a{n}": {key: 2 * [{"$ref": f"#/$defs/a{n + 1}"}]} for n in range(times)}
    return {"$defs": {**steps, f"a{times}": TEXT}, "$ref": "#/$defs/a0"}


def tree(**leaf: Any) -> dict[str, Any]:
    """Return alternatives each of which holds them again, under one name."""
    inner = {"properties": {"left": {"$ref": "#/$defs/node"}}, **leaf}
    return {"$defs": {"node": {"anyOf": [inner, inner]}}, "$ref": "#/$defs/node"}


@pytest.mark.parametrize(
    ("schema", "parts"),
    [
        (True, 1),
        (TEXT, 1),
        ({"properties": {"a": TEXT, "b": {"items": TEXT}}}, 1),
        ({"anyOf": [TEXT, {"type": "null"}]}, 3),
        ({"properties": {"a": {"allOf": [TEXT, {"not": TEXT}]}}}, 4),
        ({"properties": {"a": TEXT}, "patternProperties": {"^a": TEXT}}, 2),
        ({"properties": {"a": TEXT}, "additionalProperties": {"anyOf": [TEXT, TEXT]}}, 4),
        ({"items": [TEXT, {"oneOf": [TEXT, TEXT]}]}, 3),
        ({"$defs": {"a": {"properties": {"next": {"$ref": "#/$defs/a"}}}}, "$ref": "#/$defs/a"}, 2),
        ({"$id": "https://x.example/a.json", "$ref": "#a", "$defs": {"b": {"$anchor": "a"}}}, 2),
        (doubling(3), 30),
        ({"$ref": "http://json-schema.org/draft-07/schema#"}, 1),
        ({"$ref": "#"}, 1),
    ],
)
def test_it_counts_what_describes_one_value(schema: Any, parts: int) -> None:
    assert reach(schema, {}) == Reach(parts, MAX_DEPTH)


def test_another_document_is_followed() -> None:
    other = {"definitions": {"money": {"anyOf": [TEXT, {"type": "number"}]}}}

    assert reach({"$ref": "money.json#/definitions/money"}, {"money.json": other}).parts == 4


@pytest.mark.parametrize(
    "schema",
    [
        doubling(60),
        doubling(60, "oneOf"),
        {"anyOf": [{"const": n} for n in range(MAX_PARTS + 1)]},
        {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": 9 * [{"$ref": "#"}]}}},
        {"$ref": "https://elsewhere.example/schema.json"},
        {"$ref": "http://[/"},
    ],
)
def test_what_multiplies_or_cannot_be_counted_is_not_checked(schema: Any) -> None:
    with pytest.raises(BadSchemaError):
        reach(schema, {})
    with pytest.raises(UncheckableError):
        check(Schema("JSON", json.dumps(schema)), b"{}")


def test_what_multiplies_with_each_level_is_checked_as_deep_as_that_goes() -> None:
    schema = Schema("JSON", json.dumps(tree(required=["op"])))
    shallow, deep = b'{"op": 1, "left": {}}', b'{"left":' * 40 + b"{}" + b"}" * 40

    assert reach(json.loads(schema.text), {}).depth < 10
    assert check(schema, shallow)
    with pytest.raises(UncheckableError, match="levels"):
        check(schema, deep)


def test_of_a_long_payload_that_breaks_everywhere_one_violation_is_told() -> None:
    schema = Schema("JSON", json.dumps({"items": {"properties": {"a": TEXT}}}))
    payload = json.dumps([{"a": 1}] * 10_000).encode()

    [finding] = check(schema, payload)

    assert (finding.path, finding.reason) == ("[].a", "is a whole number instead of text")
