"""The sheet that a flow's drawing grows on: corners of cards, edges, frames."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tracing.drawing.durations import duration
from tracing.drawing.graph import Edge, Frame, Pill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracing.drawing.framed import Framed
    from tracing.drawing.graph import Spot
    from tracing.drawing.layers import Link


class Sheet:
    """What is drawn so far, by index of the event."""

    def __init__(self, spots: Sequence[Spot], latency: dict[Link, int]) -> None:
        """Begin with nothing drawn."""
        self.spots = spots
        self.latency = latency
        self.corners: dict[int, tuple[float, float]] = {}
        self.edges: list[Edge] = []
        self.edges_to: dict[int, list[int]] = defaultdict(list)
        self.frames: list[Frame] = []
        self.bottom = 0.0

    def add_edge(self, cause: int, effects: list[int], path: str, pill: Pill | None) -> None:
        """Keep an edge to one effect, or to a whole frame of them."""
        for effect in effects:
            self.edges_to[effect].append(len(self.edges))
        one = effects[0] if len(effects) == 1 else None
        self.edges.append(
            Edge(
                cause=self.spots[cause].id,
                effect=None if one is None else self.spots[one].id,
                path=path,
                pill=pill,
                latency="" if one is None else duration(self.latency[cause, one]),
                back=all(self.spots[effect].compensates for effect in effects),
            )
        )

    def add_frame(self, framed: Framed, x: float, y: float) -> None:
        """Put a frame and its cards."""
        self.frames.append(
            Frame(x=x, y=y, width=framed.width, height=framed.height, title=framed.title)
        )
        for member, (left, top) in framed.corners.items():
            self.corners[member] = (x + left, y + top)
