"""What a saga's drawing is made from, and of: steps in, cards and ways with their places out."""

from __future__ import annotations

import msgspec

from tracing.drawing.graph import Frame, Pill
from tracing.drawing.text import Fitted

CARD_WIDTH, CARD_HEIGHT = 164, 56
# Arrows on the lower track that pass other cards go below them.
BELOW = 34


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One card to draw. `begun` tells that the saga has come to it."""

    id: str
    title: str
    note: str
    begun: bool = False


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A step forward, with its compensation; `wait` says how long nobody was at work before it.

    Consecutive stops of one `group` run in parallel.
    """

    step: Item
    group: int
    wait: str = ""
    undo: Item | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole saga to draw, ids are distinct.

    `cancelled` stands below the start, `completed` behind the last step. `back` holds the ids of
    the lower track in the order in which the saga went, or goes, back through them; `turned` is
    the step at which it turned.
    """

    start: Item
    stops: tuple[Stop, ...]
    completed: Item
    cancelled: Item
    back: tuple[str, ...] = ()
    turned: str | None = None


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A card with its place, in px; `column` counts from the left, `lower` is the lower track."""

    id: str
    x: float
    y: float
    column: int
    lower: bool
    title: Fitted
    note: Fitted

    @property
    def middle(self) -> float:
        """Return where the card's middle stands."""
        return self.x + CARD_WIDTH / 2


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A path between two cards. `kind` is forward, back or joint; `gone` whether it was gone."""

    kind: str
    source: str
    target: str
    path: str
    gone: bool
    pill: Pill | None = None


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """The whole drawing; nothing lies outside `width` and `height`. `lower_y` is None without."""

    width: float
    height: float
    cards: tuple[Placed, ...]
    ways: tuple[Way, ...]
    frames: tuple[Frame, ...]
    upper_y: float
    lower_y: float
    passing: bool = False

    @property
    def lower_title(self) -> float:
        """Return where the lower track's title stands: below what passes under its cards."""
        return self.lower_y + CARD_HEIGHT + (BELOW + 8 if self.passing else 20)
