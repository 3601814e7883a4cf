"""Fields of a payload that a JSON Schema does not name. Pure, bounded by the payload."""

from __future__ import annotations

from typing import Any

_PARTS = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("if", "then", "else")
# Nodes that describe one value, references and alternatives together.
_MAX_NODES = 200
# Values of a payload that are looked at.
_MAX_VALUES = 5_000


def unlisted(document: Any, value: Any, limit: int) -> list[tuple[str | int, ...]]:
    """Return where fields are that no node for their object names, at most `limit`.

    An object whose nodes name no field at all may hold anything.
    """
    found: list[tuple[str | int, ...]] = []
    waiting: list[tuple[Any, list[Any], tuple[str | int, ...]]] = [(value, [document], ())]
    looked = 0
    while waiting and len(found) < limit and looked < _MAX_VALUES:
        looked += 1
        one, given, steps = waiting.pop()
        nodes = _nodes(document, given)
        if isinstance(one, list):
            inner = [node[key] for node in nodes for key in ("items", "prefixItems") if key in node]
            flat = [each for part in inner for each in (part if isinstance(part, list) else [part])]
            waiting += [(each, flat, (*steps, place)) for place, each in enumerate(one)]
        elif isinstance(one, dict):
            _object(one, nodes, steps, waiting, found)
    return found


def _object(
    value: dict[str, Any],
    nodes: list[dict[str, Any]],
    steps: tuple[str | int, ...],
    waiting: list[tuple[Any, list[Any], tuple[str | int, ...]]],
    found: list[tuple[str | int, ...]],
) -> None:
    listed = [part for node in nodes if isinstance(part := node.get("properties"), dict)]
    free = [
        part
        for node in nodes
        if isinstance(part := node.get("additionalProperties"), dict) or "patternProperties" in node
    ]
    for name, inner in value.items():
        named = [part[name] for part in listed if name in part]
        if named or free:
            waiting.append((inner, named or [part for part in free if part], (*steps, name)))
        elif listed:
            found.append((*steps, name))


def _nodes(document: Any, given: list[Any]) -> list[dict[str, Any]]:
    """Return the nodes that describe a value: those given, and what they refer to or offer."""
    nodes: list[dict[str, Any]] = []
    seen: set[int] = set()
    waiting = list(given)
    while waiting and len(nodes) < _MAX_NODES:
        node = waiting.pop()
        if not isinstance(node, dict) or id(node) in seen:
            continue
        seen.add(id(node))
        nodes.append(node)
        waiting += [node[key] for key in _BRANCHES if key in node]
        waiting += [one for key in _PARTS if isinstance(node.get(key), list) for one in node[key]]
        if isinstance(node.get("$ref"), str):
            waiting.append(_resolved(document, node["$ref"]))
    return nodes


def _resolved(document: Any, reference: str) -> Any:
    """Return what a reference within the document means; anything, for one that leads out."""
    if not reference.startswith("#"):
        return {"additionalProperties": {}, "patternProperties": {}}
    node = document
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        node = node.get(name) if isinstance(node, dict) else None
    return node
