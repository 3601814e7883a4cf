"""What every list with a filter does that no index answers: test a bounded number, then go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Row = TypeVar("Row")


class Sieved(msgspec.Struct, Generic[Row], frozen=True):
    """The rows that match, how many were tested, and the last of these.

    `more` tells that there are rows behind `last`, which a cursor goes on from.
    """

    found: list[Row]
    tested: int
    last: Row | None
    more: bool


def sieve(
    rows: Iterable[Row], matches: Callable[[Row], bool], *, limit: int, most: int
) -> Sieved[Row]:
    """Take rows until `limit` match or `most` are tested. One row more is read to know of it."""
    found: list[Row] = []
    tested, last = 0, None
    for row in rows:
        if len(found) == limit or tested == most:
            return Sieved(found, tested, last, more=True)
        tested += 1
        last = row
        if matches(row):
            found.append(row)
    return Sieved(found, tested, last, more=False)
