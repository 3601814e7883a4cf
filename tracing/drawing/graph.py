"""What a flow graph is made of: cards, edges and frames with their places, in px."""

from __future__ import annotations

import msgspec

from tracing.drawing.text import Fitted

CARD_WIDTH = 176
CARD_HEIGHT = 54
# The room below a card where its marks hang.
MARKS_GAP, MARKS_HEIGHT = 4, 18
PILL_HEIGHT = 18


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """An event to draw: its id (any text), what it is called, and when it happened.

    `marks` are short texts such as `out of order`. The order of the spots is the order of
    drawing: sorted by time and place, a flow that grows keeps its shape.
    """

    id: str
    type: str
    service: str
    time_us: int
    marks: tuple[str, ...] = ()
    compensates: bool = False


class Arrow(msgspec.Struct, frozen=True):
    """A cause and its effect, by event id; the latency may be negative."""

    cause: str
    effect: str
    latency_us: int


class Pill(msgspec.Struct, frozen=True):
    """A small label: its left upper corner, its width, its text."""

    x: float
    y: float
    width: float
    text: str

    @property
    def middle(self) -> float:
        """Return where the text's middle stands."""
        return self.x + self.width / 2

    @property
    def baseline(self) -> float:
        """Return where the text stands."""
        return self.y + 13


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """An event's card. `edges` are the indexes of the edges that lead to it."""

    id: str
    x: float
    y: float
    title: Fitted
    service: Fitted
    time: str
    marks: Pill | None
    causes: tuple[str, ...]
    edges: tuple[int, ...]


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """A path from a cause to its effect (None: to a whole frame of effects)."""

    cause: str
    effect: str | None
    path: str
    pill: Pill | None
    latency: str
    back: bool


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A box around cards that would make no readable picture one by one."""

    x: float
    y: float
    width: float
    height: float
    title: str

    @property
    def title_x(self) -> float:
        """Return where the title begins."""
        return self.x + 14

    @property
    def title_y(self) -> float:
        """Return where the title stands."""
        return self.y + 19


class Drawing(msgspec.Struct, frozen=True):
    """A whole graph; nothing in it lies outside `width` and `height`."""

    width: float
    height: float
    cards: tuple[Card, ...]
    edges: tuple[Edge, ...]
    frames: tuple[Frame, ...]
