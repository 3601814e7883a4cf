"""Ranks and rows: which event stands in which column, and how high.

The work of ordering and straightening is fast-sugiyama's. It draws downwards, so its layers are
our columns and its x is our y. It gets each connected part by itself, without cycles: with
several parts it gives bend points the ids of other parts' nodes.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

import msgspec
from fast_sugiyama import from_edges

if TYPE_CHECKING:
    from collections.abc import Iterable

# It narrates every step: 5,000 lines for one large graph.
for _name in ("rust-sugiyama", "connected_components"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# From the middle of a card to the middle of the next one in its column, and the room of a long
# edge that passes between two cards.
ROW = 104
LANE = 24

Link = tuple[int, int]
# (rank, y of the middle)
Point = tuple[int, float]


class Block(msgspec.Struct, frozen=True):
    """One connected part: where its nodes stand, and the way of its edges.

    `ways` has the points of each link in drawing order, both ends included; a link that closes a
    cycle runs from right to left. Ranks and heights begin at 0.
    """

    places: dict[int, Point]
    ways: dict[Link, tuple[Point, ...]]


def blocks(links: list[Link]) -> list[Block]:
    """Lay out distinct links between distinct nodes; parts are ordered by their lowest node."""
    closing = _closing(links)
    return [_block(part, closing) for part in _parts(links)]


def _parts(links: list[Link]) -> list[list[Link]]:
    """Split links into connected parts."""
    above: dict[int, int] = {}

    def top(node: int) -> int:
        while above.setdefault(node, node) != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    for cause, effect in links:
        one, other = sorted((top(cause), top(effect)))
        above[other] = one
    parts: dict[int, list[Link]] = {}
    for link in links:
        parts.setdefault(top(link[0]), []).append(link)
    return [parts[lowest] for lowest in sorted(parts)]


def _closing(links: list[Link]) -> set[Link]:
    """Return the links that close a cycle, seen from the lowest nodes on."""
    effects: dict[int, list[int]] = {}
    has_cause = set()
    for cause, effect in links:
        effects.setdefault(cause, []).append(effect)
        has_cause.add(effect)
    closing: set[Link] = set()
    done: set[int] = set()
    # Those that nothing caused come first, so that a cycle hangs on its true beginning.
    for start in sorted(effects, key=lambda node: (node in has_cause, node)):
        if start in done:
            continue
        open_nodes = {start}
        stack = [(start, iter(effects[start]))]
        while stack:
            node, rest = stack[-1]
            for effect in rest:
                if effect in open_nodes:
                    closing.add((node, effect))
                elif effect not in done:
                    open_nodes.add(effect)
                    stack.append((effect, iter(effects.get(effect, ()))))
                    break
            else:
                stack.pop()
                open_nodes.discard(node)
                done.add(node)
    return closing


def _block(links: list[Link], closing: set[Link]) -> Block:
    nodes = sorted({node for link in links for node in link})
    # Bend points get ids above those of the nodes.
    name_of = {node: name for name, node in enumerate(nodes)}
    forward = {link[::-1] if link in closing else link for link in links}
    [(positions, _, _, edges)] = from_edges(
        [(name_of[cause], name_of[effect]) for cause, effect in sorted(forward)],
        vertex_spacing=ROW,
        dummy_vertices=True,
        dummy_size=LANE,
        check_layout=False,
    )
    # Its first one stands rightmost in a layer: ours is on top.
    last = max(x for _, (x, _) in positions)
    layers = sorted({y for _, (_, y) in positions}, reverse=True)
    rank_of = {y: rank for rank, y in enumerate(layers)}
    points = {name: (rank_of[y], round(last - x, 1)) for name, (x, y) in positions}
    # All ids are numbers because all of ours are.
    drawn = _ways(cast("Iterable[Link]", edges), len(nodes))
    ways: dict[Link, tuple[Point, ...]] = {}
    for cause, effect in links:
        if (cause, effect) in closing:
            way = drawn[name_of[effect], name_of[cause]][::-1]
        else:
            way = drawn[name_of[cause], name_of[effect]]
        ways[cause, effect] = tuple(points[name] for name in way)
    return Block({node: points[name] for node, name in name_of.items()}, ways)


def _ways(edges: Iterable[Link], count: int) -> dict[Link, list[int]]:
    """Join the pieces of long edges: names from `count` on are bend points, with one way out."""
    pieces = list(edges)
    onward = {cause: effect for cause, effect in pieces if cause >= count}
    ways = {}
    for cause, effect in pieces:
        if cause < count:
            way = [cause, effect]
            while way[-1] >= count:
                way.append(onward[way[-1]])
            ways[cause, way[-1]] = way
    return ways
