"""What the live tail is asked for, as it stands in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.web import query
from tracing.web.flows.filters import Active
from tracing.web.matching import EventFilter

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/tail/"
NAMES = ("type", "service", "topic", "text")


class TailQuery(msgspec.Struct, frozen=True):
    """The filters of one address."""

    given: dict[str, str]

    def url(self, **changes: str) -> str:
        """Return the tail with some filters changed; '' takes one off."""
        return query.address(PATH, {**self.given, **changes})

    @property
    def string(self) -> str:
        """Return the query string, '' without filters."""
        return query.address("", self.given).removeprefix("?")

    @property
    def filter(self) -> EventFilter:
        """Return the filter for reading and for matching changes."""
        return EventFilter(**self.given)

    def active(self) -> list[Active]:
        """Return the filters that are on, as words."""
        return [
            Active(name.capitalize(), text, self.url(**{name: ""}))
            for name, text in self.given.items()
        ]


def parse(parameters: Mapping[str, str]) -> TailQuery:
    """Return the filters of an address."""
    return TailQuery(query.known(parameters, NAMES))
