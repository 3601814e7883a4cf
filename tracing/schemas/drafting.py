"""What somebody writes in the editor as a draft: JSON, or YAML as tutorials write it. Pure.

    version: 2
    namespace: shop
    type: record
    name: OrderPlaced
    fields:
      - {name: currency, type: string, default: USD}

YAML becomes JSON; of it only what JSON can say is read (the core schema of YAML 1.2: `no` is a
word, not false). `version` at its top is left out: the registry counts.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from tracing.codec.limits import MAX_DEPTH
from tracing.schemas.errors import BadSchemaError
from tracing.schemas.parsing import AVRO_PRIMITIVES, MAX_BYTES, parse_json
from tracing.schemas.registry import Draft, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = r"-?(?:0|[1-9][0-9]*)"
_REFERENCE = re.compile(r"(\S+)\s+(\S+)\s+([1-9][0-9]{0,8})")


class Written(msgspec.Struct, frozen=True):
    """A draft, and the version that its writer expects it to become, '' where none is said."""

    draft: Draft
    version: str = ""


class _Loader(_LOADER):  # type: ignore[misc]
    """Resolves scalars as JSON would."""

    yaml_implicit_resolvers: dict[str, Any] = {}


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""]
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(rf"^{_NUMBER}$"), list("-0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(rf"^{_NUMBER}(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$"),
    list("-0123456789"),
)


def written(text: str, kind: str, references: str = "") -> Written:
    """Return what was written as a draft. Raises BadSchemaError with the line, where there is one.

    `references` has a line for each: its name, its subject and its version.
    """
    needed = tuple(_references(references))
    text = text.replace("\r\n", "\n")
    begin = text.lstrip()[:1]
    if not begin or begin in '{["' or text.strip() in AVRO_PRIMITIVES:
        value = parse_json(text)
        version = value.get("version") if isinstance(value, dict) and kind == "AVRO" else None
        return Written(Draft(text, kind, needed), _version(version))
    value = _from_yaml(text)
    version = value.pop("version", None) if isinstance(value, dict) and kind == "AVRO" else None
    try:
        said = json.dumps(value, indent=2, ensure_ascii=False)
    except (TypeError, ValueError):
        raise BadSchemaError("It holds something that JSON cannot say.") from None
    return Written(Draft(said, kind, needed), _version(version))


def _version(value: Any) -> str:
    return str(value)[:20] if isinstance(value, int | str) else ""


def _from_yaml(text: str) -> Any:
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise BadSchemaError(f"It is longer than {MAX_BYTES:,} bytes.")
    try:
        _check(iter(yaml.parse(text, Loader=_Loader)))
        node = yaml.compose(text, Loader=_Loader)
        _check_names(node)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or "this is neither YAML nor JSON"
        raise _at(
            mark, f"{said}. Look at the indentation, and at a space behind each colon"
        ) from None
    except yaml.YAMLError as error:
        raise BadSchemaError(f"It is neither YAML nor JSON: {str(error)[:200]}") from None
    except (ValueError, RecursionError):
        raise BadSchemaError("It is neither YAML nor JSON.") from None


def _check(events: Iterator[Any]) -> None:
    """Raise for what could stand for an endless text, before anything is built of it."""
    depth = documents = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _at(event.start_mark, "anchors (&, *) are not read; write it out")
        if getattr(event, "tag", None):
            raise _at(event.start_mark, "tags (!) are not read")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _at(event.start_mark, "a second document begins; write one schema")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _at(event.start_mark, f"it nests deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _check_names(node: Any) -> None:
    """Raise for a name that stands twice or is none: the last would win without a word."""
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            _check_names(one)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for name, value in node.value:
        if not isinstance(name, yaml.ScalarNode) or not name.tag.endswith(":str"):
            raise _at(name.start_mark, "a name is expected here")
        if name.value in seen:
            first = seen[name.value]
            raise _at(name.start_mark, f"{name.value!r} is written twice, first in line {first}")
        seen[name.value] = name.start_mark.line + 1
        _check_names(value)


def _at(mark: Any, said: str) -> BadSchemaError:
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return BadSchemaError(f"Line {line}, column {column}: {said}.", line=line, column=column)


def _references(text: str) -> Iterator[Reference]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _REFERENCE.fullmatch(line.strip())
        if match is None:
            said = "write the type's name, its subject and its version"
            raise BadSchemaError(f"References, line {number}: {said}.")
        yield Reference(match[1], match[2], int(match[3]))
