"""Does a payload fit a schema: what is wrong, at which field, in our words. Pure.

JSON Schema is checked by `jsonschema-rs`, which asks no network and whose patterns end; an Avro
schema by its JSON form (`avro_as_json`). A field that no part of the schema names is no violation.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import msgspec

from tracing.codec.depth import too_deep
from tracing.codec.limits import MAX_DEPTH
from tracing.domain.errors import EventvizError
from tracing.domain.text import clean
from tracing.schemas.avro_as_json import as_json_schema
from tracing.schemas.breadth import Reach, reach
from tracing.schemas.errors import BadSchemaError
from tracing.schemas.parsing import parse_json
from tracing.schemas.unlisted import unlisted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracing.codec.formats.schema import Schema

Step = str | int
MAX_FINDINGS = 20
MAX_PATH = 200
# Of a payload with more values times parts that describe each, the first violation is told.
MAX_LOOKS = 20_000
_MAX_WORD = 60
_BASE = "registry:///"
_KINDS = {
    "null": "null",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "an object",
}


class UncheckableError(EventvizError):
    """Nothing can be checked against this schema."""


class Finding(msgspec.Struct, frozen=True):
    """What is wrong at one field: `steps` lead to it, `path` is `items[].sku`, without places.

    `listed` is False for a field that the schema does not have, which harms nobody by itself.
    """

    path: str
    reason: str
    steps: tuple[Step, ...] = ()
    listed: bool = True


def check(schema: Schema, payload: bytes | None) -> tuple[Finding, ...]:
    """Return what does not fit, violations first; at most `MAX_FINDINGS` of each kind.

    Raises UncheckableError when the schema cannot be used.
    """
    validator, document, reach = _usable(schema)
    try:
        if payload is None or too_deep(payload):
            raise ValueError
        value = msgspec.json.decode(payload)
    except (ValueError, RecursionError):
        return (Finding("", "is not JSON, or nests too deep"),)
    if reach.depth < MAX_DEPTH and deepest(value) > reach.depth:
        raise UncheckableError(f"Below {reach.depth} levels its alternatives multiply.")
    try:
        errors = [] if validator.is_valid(value) else _errors(validator, value, payload, reach)
        findings = [one for error in errors for one in _findings(error, value)]
    except ValueError as error:
        raise UncheckableError(clean(str(error), 200)) from None
    known = {one.steps for one in findings}
    extra = [
        Finding(path_of(steps), "is not in the schema", steps, listed=False)
        for steps in unlisted(document, value, MAX_FINDINGS)
        if steps not in known
    ]
    return (*findings[:MAX_FINDINGS], *extra)


def validator_of(schema: Schema) -> Any:
    """Return the library's validator of a schema, for values as Python has them.

    Raises UncheckableError when the schema cannot be used.
    """
    return _usable(schema)[0]


def deepest(value: Any) -> int:
    """Return how deep JSON nests: 0 for what holds nothing."""
    depth, level = -1, [value]
    while level:
        depth += 1
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return depth


def path_of(steps: tuple[Step, ...]) -> str:
    """Return a path without places in lists: `items[].sku`."""
    path = ""
    for step in steps:
        path += "[]" if isinstance(step, int) else f".{step}" if path else step
    return clean(path, MAX_PATH)


def _usable(schema: Schema) -> tuple[Any, Any, Reach]:
    found = _validator(schema)
    if isinstance(found, str):
        raise UncheckableError(found)
    return found


@functools.lru_cache(maxsize=500)
def _validator(schema: Schema) -> tuple[Any, Any, Reach] | str:
    """Return what checks, the JSON Schema and its reach; or why there is none, to be kept too."""
    try:
        if schema.type == "AVRO":
            document: Any = as_json_schema(schema)
        elif schema.type == "JSON":
            document = parse_json(schema.text)
        else:
            return f"{schema.type[:20] or 'Nothing'} is no format that can be checked here."
        needed = () if schema.type == "AVRO" else schema.references
        reached = reach(document, {name: parse_json(text) for name, text in needed})
        retrieve = _retriever(schema)
        made = jsonschema_rs.validator_for(document, retriever=retrieve, base_uri=_BASE)
        return made, document, reached
    except BadSchemaError as error:
        return clean(error.detail or str(error), 300)
    except (ValueError, TypeError, RecursionError) as error:
        lines = str(error).splitlines() or [""]
        return f"The schema cannot be used: {clean(lines[0], 200)}"


def _retriever(schema: Schema) -> Callable[[str], Any]:
    """Return what looks a schema's references up among those that are registered, only there."""
    texts = dict(schema.references)

    def retrieve(uri: str) -> Any:
        text = texts.get(uri, texts.get(uri.removeprefix(_BASE)))
        if text is None:
            raise ValueError("it is not among the registered references")
        return parse_json(text)

    return retrieve


def _errors(validator: Any, value: Any, payload: bytes, reach: Reach) -> list[Any]:
    """Return what is wrong: some 50 us for each part that fails, so of much only the first."""
    values = 1 + sum(payload.count(sign) for sign in (b",", b"[", b"{"))
    if values * reach.parts <= MAX_LOOKS:
        return list(itertools.islice(validator.iter_errors(value), MAX_FINDINGS))
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return [error]
    return []


def _findings(error: Any, value: Any) -> list[Finding]:
    steps = tuple(error.instance_path)
    kind = error.kind
    if kind.name == "required":
        at = (*steps, kind.property)
        return [Finding(path_of(at), "is missing", at)]
    if kind.name in {"additionalProperties", "unevaluatedProperties"}:
        places = [(*steps, name) for name in kind.unexpected[:MAX_FINDINGS]]
        return [Finding(path_of(at), "is not allowed by the schema", at) for at in places]
    return [Finding(path_of(steps), _reason(kind, _at(value, steps)), steps)]


def _reason(kind: Any, value: Any) -> str:
    if kind.name == "type":
        wanted = " or ".join(_KINDS.get(name, name) for name in kind.types)
        return f"is {_kind_of(value)} instead of {wanted}"
    if kind.name == "enum":
        return "is none of the values that the schema names"
    limit = getattr(kind, "limit", None)
    if limit is not None:
        return f"breaks {kind.name} {clean(str(limit), _MAX_WORD)}"
    if kind.name == "pattern":
        return f"does not match {clean(str(kind.pattern), _MAX_WORD)}"
    return f"breaks the schema's {kind.name}"


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    kinds = ((int, "integer"), (float, "number"), (str, "string"), (list, "array"))
    return _KINDS[next((name for kind, name in kinds if isinstance(value, kind)), "object")]


def _at(value: Any, steps: tuple[Step, ...]) -> Any:
    for step in steps:
        value = value[step]
    return value
