"""What a record of unknown shape carries, by path, as far as a mapping can name it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from tracing.codec import fields
from tracing.codec.depth import too_deep

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.domain.record import Header

MAX_BYTES = 256 * 1024
MAX_LEAVES = 200
MAX_LEVELS = 4
_STEP = re.compile(r"[^.\[\]]{1,100}")

Leaf = str | int | float | dict[str, object]
Leaves = dict[str, Leaf]


def leaves(value: bytes | None, headers: Iterable[Header]) -> Leaves:
    """Return what a record carries, by path, as far as a mapping can name it; bounded."""
    found: Leaves = {}
    for name, raw in headers:
        text = fields.identifier(raw)
        if text is not None and name and len(name) <= 100 and len(found) < MAX_LEAVES // 2:
            found[f"header:{name}"] = text
    body = _parse(value)
    if isinstance(body, dict | list):
        _walk(body, found)
    return found


def _parse(value: bytes | None) -> object:
    if value is None or len(value) > MAX_BYTES or value.lstrip()[:1] not in {b"{", b"["}:
        return None
    try:
        return None if too_deep(value) else msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _walk(body: dict[str, object] | list[object], found: Leaves) -> None:
    """Add scalars and objects breadth first: what lies nearer to the top is more telling."""
    level: list[tuple[str, object]] = [("$", body)]
    for _ in range(MAX_LEVELS):
        below: list[tuple[str, object]] = []
        for path, node in level:
            for step, value in _children(node):
                if len(found) >= MAX_LEAVES:
                    return
                if isinstance(value, str | int | float) and not isinstance(value, bool):
                    found[path + step] = value
                elif isinstance(value, dict):
                    found[path + step] = value
                    below.append((path + step, value))
                elif isinstance(value, list):
                    below.append((path + step, value))
        level = below


def _children(node: object) -> list[tuple[str, object]]:
    if isinstance(node, dict):
        return [(f".{name}", value) for name, value in node.items() if _STEP.fullmatch(name)]
    return [("[0]", node[0])] if isinstance(node, list) and node else []
