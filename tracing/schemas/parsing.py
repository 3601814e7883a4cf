"""A schema that somebody brings: bounded, parsed, and comparable. Pure.

Sources: the specification of Apache Avro 1.12; JSON Schema's core, from draft 4 on.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from typing import TYPE_CHECKING, Any

import avro.errors
import avro.name
import avro.schema
import fastavro
import fastavro.schema

from tracing.codec.depth import too_deep
from tracing.codec.limits import MAX_DEPTH
from tracing.domain.text import clean
from tracing.schemas.errors import BadSchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.schemas.registry import Draft

# Kafka's default for a message, which is what Confluent's registry stores a schema in.
MAX_BYTES = 1_000_000
TYPES = ("AVRO", "JSON")
AVRO_PRIMITIVES = frozenset(
    ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
)
_MAX_WORDS = 300
_AVRO_ERRORS = (
    avro.errors.AvroException,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


def parse(draft: Draft, built_on: Iterable[tuple[str, str]] = ()) -> Any:
    """Return a schema's JSON when it can be used; `built_on` is (name, text) of its references.

    These stand in such an order that each comes behind those that it needs. Raises BadSchemaError
    with the line, where it is a matter of syntax.
    """
    if draft.type not in TYPES:
        kinds = " and ".join(TYPES)
        raise BadSchemaError(f"{draft.type[:20]} is none of the formats kept here: {kinds}.")
    value = parse_json(draft.text)
    if draft.type == "AVRO":
        as_avro(draft.text, built_on)
    elif not isinstance(value, dict | bool):
        raise BadSchemaError("A JSON Schema is an object.")
    return value


def parse_json(text: str) -> Any:
    """Return JSON within bounds; an Avro primitive may stand bare. Raises BadSchemaError."""
    raw = text.encode("utf-8", "replace")
    if len(raw) > MAX_BYTES:
        raise BadSchemaError(f"It has {len(raw):,} bytes; at most {MAX_BYTES:,}.")
    if not text.strip():
        raise BadSchemaError("It is empty.")
    if "\x00" in text or "\\u0000" in text:
        raise BadSchemaError("It holds the character NUL.")
    if too_deep(raw):
        raise BadSchemaError(f"It nests deeper than {MAX_DEPTH} levels.")
    if text.strip() in AVRO_PRIMITIVES - {"null"}:
        return text.strip()
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        said = f"Line {error.lineno}, column {error.colno}: {error.msg}."
        raise BadSchemaError(said, line=error.lineno, column=error.colno) from None
    except (ValueError, RecursionError) as error:
        raise BadSchemaError(f"{clean(str(error), _MAX_WORDS)}.") from None


def as_avro(text: str, built_on: Iterable[tuple[str, str]] = ()) -> avro.schema.Schema:
    """Return a schema as the reference library reads it. Raises BadSchemaError."""
    names = avro.name.Names()
    named: dict[str, Any] = {}
    try:
        with warnings.catch_warnings():
            # It says so when it does not know a logical type, which is then ignored by the rules.
            warnings.simplefilter("ignore")
            for one in (*(needed for _name, needed in built_on), text):
                schema = avro.schema.make_avsc_object(parse_json(one), names)
                # It also looks whether a default is of its field's type, and reads the payloads.
                fastavro.parse_schema(parse_json(one), named_schemas=named)
    except RecursionError:
        raise BadSchemaError("It nests too deep.") from None
    except (*_AVRO_ERRORS, fastavro.schema.SchemaParseException) as error:
        said = clean(str(error), _MAX_WORDS).rstrip(".") or type(error).__name__
        raise BadSchemaError(f"It is no Avro schema: {said}.") from None
    return schema


def fingerprint(draft: Draft, value: Any) -> str:
    """Return what schemas share that say the same: white space and order of keys do not count."""
    said = _plain(value) if draft.type == "AVRO" else value
    references = sorted((one.name, one.subject, one.version) for one in draft.references)
    whole = json.dumps([draft.type, said, references], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()


def _plain(value: Any) -> Any:
    """Return Avro with primitives in their short form: {"type": "string"} is "string"."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and isinstance(value.get("type"), str) and value["type"] in AVRO_PRIMITIVES:
        return value["type"]
    return {name: _plain(one) for name, one in value.items()}
