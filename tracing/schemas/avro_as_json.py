"""An Avro schema as a JSON Schema, for payloads that are plain JSON. Pure.

Avro's rules for data are those of the specification of Apache Avro 1.12, but a union's value stands
bare, as JSON producers write it, and a field with a default may be absent.
"""

from __future__ import annotations

from typing import Any

import fastavro
import fastavro.schema

from tracing.codec.formats.schema import Schema
from tracing.schemas.errors import BadSchemaError
from tracing.schemas.parsing import parse_json

_TYPES: dict[str, Any] = {
    "null": {"type": "null"},
    "boolean": {"type": "boolean"},
    "int": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "long": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "float": {"type": "number"},
    "double": {"type": "number"},
    "bytes": {"type": "string"},
    "string": {"type": "string"},
}
# Dates, decimals, UUIDs: producers write them as text or as numbers.
_LOGICAL = {"type": ["string", "number"]}


def as_json_schema(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of an Avro schema. Raises BadSchemaError."""
    named: dict[str, Any] = {}
    try:
        for _name, text in schema.references:
            fastavro.parse_schema(parse_json(text), named_schemas=named)
        parsed = fastavro.parse_schema(parse_json(schema.text), named_schemas=named)
    except (fastavro.schema.SchemaParseException, LookupError, TypeError, ValueError) as error:
        raise BadSchemaError(f"It is no Avro schema: {error}.") from None
    except RecursionError:
        raise BadSchemaError("It nests too deep.") from None
    definitions = {name: _definition(one) for name, one in named.items()}
    return {"$defs": definitions, **_of(parsed)}


def _of(schema: Any) -> dict[str, Any]:
    if isinstance(schema, list):
        return _union(schema)
    if isinstance(schema, str):
        return _TYPES.get(schema) or {"$ref": f"#/$defs/{schema}"}
    kind = schema["type"]
    if "logicalType" in schema:
        return _LOGICAL
    if kind in {"record", "error", "enum", "fixed"}:
        return {"$ref": f"#/$defs/{schema['name']}"}
    if kind == "array":
        return {"type": "array", "items": _of(schema["items"])}
    if kind == "map":
        return {"type": "object", "additionalProperties": _of(schema["values"])}
    return _of(kind)


def _definition(schema: dict[str, Any]) -> dict[str, Any]:
    if schema["type"] == "enum":
        return {"enum": list(schema["symbols"])}
    if schema["type"] == "fixed":
        return _LOGICAL if "logicalType" in schema else {"type": "string"}
    fields = schema.get("fields", ())
    properties = {field["name"]: _of(field["type"]) for field in fields}
    for field in fields:
        properties |= dict.fromkeys(field.get("aliases", ()), properties[field["name"]])
    needed = [
        field["name"] for field in fields if "default" not in field and not field.get("aliases")
    ]
    return {"type": "object", "properties": properties, "required": needed}


def _union(branches: list[Any]) -> dict[str, Any]:
    """Return a union so that what is wrong is told where it is: null aside, often one is left."""
    rest = [_of(branch) for branch in branches if branch != "null"]
    if not rest:
        return {"type": "null"} if branches else {}
    inner = rest[0] if len(rest) == 1 else {"anyOf": rest}
    if len(rest) == len(branches):
        return inner
    return {"if": {"type": "null"}, "then": True, "else": inner}
