"""What the flow list is asked for, as it stands in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.domain.marks import BY_SLUG, LABELS
from tracing.projections.reading import DISPLAY_STATES, FlowFilter
from tracing.web import query

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/flows/"
NAMES = ("state", "type", "service", "mark", "since", "until")
TITLES = {"since": "Since", "until": "Until"}
AGES = {
    "5m": "last 5 minutes",
    "15m": "last 15 minutes",
    "1h": "last hour",
    "6h": "last 6 hours",
    "24h": "last 24 hours",
    "7d": "last 7 days",
}


class Active(msgspec.Struct, frozen=True):
    """One filter that is on: its words, and the address without it."""

    name: str
    value: str
    without: str


class FlowQuery(msgspec.Struct, frozen=True):
    """The filters of one address, in the order of `NAMES`; unknown values are left out."""

    given: dict[str, str]

    def url(self, **changes: str) -> str:
        """Return the list with some filters changed; '' takes one off."""
        return query.address(PATH, {**self.given, **changes})

    @property
    def string(self) -> str:
        """Return the query string, '' without filters."""
        return query.address("", self.given).removeprefix("?")

    def filter(self, now_ms: int) -> FlowFilter:
        """Return the filter for reading; ages count from now."""
        given = self.given
        return FlowFilter(
            state=given.get("state", ""),
            type=given.get("type", ""),
            service=given.get("service", ""),
            mark=given.get("mark", ""),
            since_ms=query.moment_ms(given.get("since", ""), now_ms=now_ms),
            until_ms=query.moment_ms(given.get("until", ""), now_ms=now_ms),
        )

    def active(self) -> list[Active]:
        """Return the filters that are on, as words."""
        return [
            Active(name.capitalize(), _words(name, text), self.url(**{name: ""}))
            for name, text in self.given.items()
        ]


def parse(parameters: Mapping[str, str]) -> FlowQuery:
    """Return the filters of an address. Raises BadTimeError."""
    given = query.known(parameters, NAMES)
    if given.get("state") not in DISPLAY_STATES:
        given.pop("state", None)
    if given.get("mark") not in BY_SLUG:
        given.pop("mark", None)
    for name in ("since", "until"):
        query.moment_ms(given.get(name, ""), now_ms=0)
    return FlowQuery(given)


def _words(name: str, text: str) -> str:
    if name == "mark":
        return LABELS[BY_SLUG[text]]
    return AGES.get(text, text) if name == "since" else text
