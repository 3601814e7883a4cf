"""From a text to a definition, with errors that name the line and say what to write instead."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from tracing.domain.saga.definition import (
    BY_CORRELATION,
    BY_RECORD_KEY,
    Compensation,
    Definition,
    Ends,
    States,
    Step,
)
from tracing.domain.saga.document import BadDefinitionError, Fields, Items, Scalar, Tree, read
from tracing.domain.text import MAX_LABEL, clean

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_STEPS = 1_000
MAX_TYPES = 20
_TOP = ("saga", "starts", "key", "steps", "ends", "states")
_STEP = ("name", "command", "success", "failure", "state", "timeout", "compensation")
_UNDO = ("name", "command", "success", "failure", "timeout")
_ENDS = ("completed", "cancelled", "timeout")
_TIMEOUT = re.compile(r"(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|h|d)")
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PATH = re.compile(r"\$(\.[^.\[\]]{1,100}|\[\d{1,4}\]){1,10}")
_HEADER = re.compile(r"header:\S{1,200}")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def parse(text: str) -> Definition:
    """Return the definition that a YAML or JSON text holds. Raises BadDefinitionError."""
    top = _fields(read(text), _TOP, "the saga")
    steps = _steps(_needed(top, "steps", "the saga"))
    ends = _fields_of(top, "ends", _ENDS)
    definition = Definition(
        name=_text(_needed(top, "saga", "the saga"), "saga"),
        starts=_types(_needed(top, "starts", "the saga"), "starts"),
        steps=steps,
        ends=Ends(
            completed=_types_of(ends, "completed"),
            cancelled=_types_of(ends, "cancelled"),
            timeout_ms=_timeout(ends),
        ),
        states=_states(top),
        key=_key(top),
    )
    _check_types(top, definition)
    return definition


def _fields(tree: Tree, known: Sequence[str], of: str) -> Fields:
    """Return names and values; refuse a name that nobody reads, so that no typo is lost."""
    if not isinstance(tree, Fields):
        said = ", ".join(f"`{name}:`" for name in known[:4])
        raise BadDefinitionError(tree.line, f"{of} is written as fields: {said}, ...")
    for name, line in tree.lines.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}."
            raise BadDefinitionError(line, f"`{_short(name)}` is not known in {of}; {hint}")
    return tree


def _fields_of(top: Fields, name: str, known: Sequence[str]) -> Fields:
    tree = top.values.get(name)
    if tree is None or _nothing(tree):
        return Fields({}, {}, top.line)
    return _fields(tree, known, f"`{name}`")


def _nothing(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and tree.text is None


def _needed(fields: Fields, name: str, of: str) -> Tree:
    tree = fields.values.get(name)
    if tree is None or _nothing(tree):
        line = fields.lines.get(name, fields.line)
        raise BadDefinitionError(line, f"`{name}` is missing in {of}; write `{name}: ...`.")
    return tree


def _text(tree: Tree, name: str) -> str:
    if not isinstance(tree, Scalar) or tree.text is None or not tree.text.strip():
        raise BadDefinitionError(tree.line, f"`{name}` is one text, such as `{name}: Order`.")
    text = " ".join(tree.text.split())
    if len(text) > MAX_LABEL:
        raise BadDefinitionError(tree.line, f"`{name}` is longer than {MAX_LABEL} characters.")
    return clean(text, MAX_LABEL)


def _text_of(fields: Fields, name: str) -> str | None:
    tree = fields.values.get(name)
    return None if tree is None or _nothing(tree) else _text(tree, name)


def _types(tree: Tree, name: str) -> tuple[str, ...]:
    """Return one event type, or several that mean the same."""
    if isinstance(tree, Items):
        if not 0 < len(tree.items) <= MAX_TYPES:
            raise BadDefinitionError(tree.line, f"`{name}` lists 1 to {MAX_TYPES} event types.")
        return tuple(dict.fromkeys(_text(item, name) for item in tree.items))
    return (_text(tree, name),)


def _types_of(fields: Fields, name: str) -> tuple[str, ...]:
    tree = fields.values.get(name)
    return () if tree is None or _nothing(tree) else _types(tree, name)


def _timeout(fields: Fields) -> int | None:
    text = _text_of(fields, "timeout")
    if text is None:
        return None
    match = _TIMEOUT.fullmatch(text)
    if match is None:
        said = f"`{_short(text)}` is no time; write a number and ms, s, m, h or d: `timeout: 30s`."
        raise BadDefinitionError(fields.lines["timeout"], said)
    found = round(float(match[1]) * _UNITS_MS[match[2]])
    if not 0 < found <= 366 * _UNITS_MS["d"]:
        raise BadDefinitionError(fields.lines["timeout"], "a timeout is from 1ms to 366d.")
    return found


def _steps(tree: Tree) -> tuple[Step, ...]:
    if not isinstance(tree, Items) or not tree.items:
        raise BadDefinitionError(
            tree.line, "`steps` is a list; begin each one with `- name:` in a line of its own."
        )
    steps: list[Step] = []
    for group, item in enumerate(tree.items):
        for one in _together(item):
            steps.append(_step(one, group))
            if len(steps) > MAX_STEPS:
                raise BadDefinitionError(one.line, f"there are more than {MAX_STEPS:,} steps.")
    return tuple(steps)


def _together(item: Tree) -> tuple[Tree, ...]:
    """Return the steps that run in parallel: usually one."""
    if not isinstance(item, Fields) or "parallel" not in item.values:
        return (item,)
    inner = _fields(item, ("parallel",), "a parallel group").values["parallel"]
    if not isinstance(inner, Items) or not inner.items:
        raise BadDefinitionError(inner.line, "`parallel` is a list of steps, each with a `name`.")
    return inner.items


def _step(tree: Tree, group: int) -> Step:
    fields = _fields(tree, _STEP, "a step")
    name = _text(_needed(fields, "name", "a step"), "name")
    success = _types(_needed(fields, "success", f"the step `{_short(name)}`"), "success")
    return Step(
        name=name,
        success=success,
        state=_text_of(fields, "state") or _shouted(success[0]),
        group=group,
        failure=_types_of(fields, "failure"),
        command=_text_of(fields, "command"),
        timeout_ms=_timeout(fields),
        compensation=_compensation(fields, name),
    )


def _compensation(step: Fields, of: str) -> Compensation | None:
    tree = step.values.get("compensation")
    if tree is None or _nothing(tree):
        return None
    fields = _fields(tree, _UNDO, "a compensation")
    where = f"the compensation of `{_short(of)}`"
    return Compensation(
        name=_text(_needed(fields, "name", where), "name"),
        success=_types(_needed(fields, "success", where), "success"),
        failure=_types_of(fields, "failure"),
        command=_text_of(fields, "command"),
        timeout_ms=_timeout(fields),
    )


def _states(top: Fields) -> States:
    fields = _fields_of(top, "states", States.__struct_fields__)
    return States(**{name: _text(tree, name) for name, tree in fields.values.items()})


def _key(top: Fields) -> str:
    key = _text_of(top, "key") or BY_CORRELATION
    if key in {BY_CORRELATION, BY_RECORD_KEY} or _PATH.fullmatch(key) or _HEADER.fullmatch(key):
        return key
    said = f"`{_short(key)}` is no key; write `correlation`, `key` (the record's), "
    said += "`header:name` or `$.orderId` (a path in the payload)."
    raise BadDefinitionError(top.lines["key"], said)


def _check_types(top: Fields, definition: Definition) -> None:
    """Refuse an event type that two steps claim, and two steps of one name: both are ambiguous."""
    seen: dict[str, str] = {}
    names: set[str] = set()

    def claim(types: Sequence[str | None], by: str) -> None:
        for event_type in types:
            if event_type is None:
                continue
            if event_type in seen:
                said = f"`{_short(event_type)}` means {seen[event_type]} and {by} as well; "
                said += "give each its own event type."
                raise BadDefinitionError(_line_of(top, event_type), said)
            seen[event_type] = by

    for step in definition.steps:
        undo = step.compensation
        for name in [step.name, *([undo.name] if undo else [])]:
            if name in names:
                said = f"two steps or compensations are named `{_short(name)}`; tell them apart."
                raise BadDefinitionError(_line_of(top, name), said)
            names.add(name)
        of = f"`{_short(step.name)}`"
        claim(step.success, f"the success of {of}")
        claim(step.failure, f"the failure of {of}")
        claim([step.command], f"the command of {of}")
        if undo is not None:
            of = f"`{_short(undo.name)}`"
            claim(undo.success, f"the success of {of}")
            claim(undo.failure, f"the failure of {of}")
            claim([undo.command], f"the command of {of}")
    both = set(definition.ends.completed) & set(definition.ends.cancelled)
    if both:
        found = min(both)
        said = f"`{_short(found)}` ends the saga both completed and cancelled; choose one."
        raise BadDefinitionError(_line_of(top, found), said)


def _line_of(tree: Tree, text: str) -> int:
    """Return the last line in which a text stands as a value: that is where it is once too many."""
    found = 0
    todo: list[Tree] = [tree]
    while todo:
        one = todo.pop()
        if isinstance(one, Fields):
            todo.extend(one.values.values())
        elif isinstance(one, Items):
            todo.extend(one.items)
        elif one.text is not None and " ".join(one.text.split()) == text:
            found = max(found, one.line)
    return found or tree.line


def _shouted(event_type: str) -> str:
    """Return a state's name: `StockReserved` makes `STOCK_RESERVED`."""
    return "_".join(_WORDS.findall(event_type)).upper() or event_type


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
