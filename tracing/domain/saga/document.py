"""A YAML or JSON text as a tree that knows its lines; nothing in it is ever evaluated.

JSON is read as the part of YAML that it is. Every scalar stays text: what it means is decided by
the field that it is written in. Anchors and aliases are refused, since a short text could stand
for an endless one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from tracing.domain.errors import EventvizError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 10
# The parser in C where the wheel has it: a thousand steps in a tenth of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BadDefinitionError(EventvizError):
    """The saga definition cannot be used."""

    def __init__(self, line: int, words: str) -> None:
        """Name the line, counted from 1, and say what to write."""
        super().__init__(f"Line {line}: {words}")
        self.line = line
        self.words = words


class Scalar(msgspec.Struct, frozen=True):
    """A single value as it is written; None where nothing is (`null`, `~` or empty)."""

    text: str | None
    line: int


class Items(msgspec.Struct, frozen=True):
    """A list."""

    items: tuple[Tree, ...]
    line: int


class Fields(msgspec.Struct, frozen=True):
    """Names with values; `lines` says where each name is written."""

    values: dict[str, Tree]
    lines: dict[str, int]
    line: int


Tree = Scalar | Items | Fields


def read(text: str) -> Tree:
    """Return the tree of one document. Raises BadDefinitionError."""
    if len(text) > MAX_CHARACTERS:
        raise BadDefinitionError(1, f"it has more than {MAX_CHARACTERS:,} characters.")
    if text.lstrip()[:1] == "{":
        # JSON may be indented with tabs, YAML may not; within JSON's strings none can stand.
        text = text.replace("\t", " ")
    try:
        return _document(_events(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = f"{error.problem or 'this is neither YAML nor JSON'}. Look at the indentation, "
        words += "and put a space behind each colon."
        raise BadDefinitionError(mark.line + 1 if mark else 1, words) from None
    except yaml.YAMLError as error:
        raise BadDefinitionError(1, f"{error}.") from None


def _events(text: str) -> Iterator[Any]:
    return iter(yaml.parse(text, Loader=_LOADER))


def _document(events: Iterator[Any]) -> Tree:
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            tree = _tree(events, next(events), 0)
            next(events)
            following = next(events)
            if isinstance(following, yaml.DocumentStartEvent):
                line = _line(following)
                raise BadDefinitionError(line, "a second document begins; write one saga a text.")
            return tree
    raise BadDefinitionError(1, "it is empty; begin with `saga:` and a name.")


def _line(event: Any) -> int:
    """Return the line of an event, counted from 1."""
    return int(event.start_mark.line) + 1


def _tree(events: Iterator[Any], event: Any, depth: int) -> Tree:
    line = _line(event)
    if isinstance(event, yaml.AliasEvent) or event.anchor:
        raise BadDefinitionError(line, "anchors (&, *) are not read; write it out.")
    if depth > MAX_DEPTH:
        raise BadDefinitionError(line, f"it nests deeper than {MAX_DEPTH} levels.")
    if isinstance(event, yaml.ScalarEvent):
        nothing = not event.style and event.value in {"", "~", "null"}
        return Scalar(None if nothing else event.value, line)
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(_tree(events, event, depth + 1))
        return Items(tuple(items), line)
    return _fields(events, line, depth)


def _fields(events: Iterator[Any], line: int, depth: int) -> Fields:
    values: dict[str, Tree] = {}
    lines: dict[str, int] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        at = _line(event)
        if not isinstance(event, yaml.ScalarEvent):
            raise BadDefinitionError(at, "a name is expected here.")
        name = event.value
        if name in values:
            said = f"`{name}` is written twice, first in line {lines[name]}; keep one."
            raise BadDefinitionError(at, said)
        lines[name] = at
        values[name] = _tree(events, next(events), depth + 1)
    return Fields(values, lines, line)
