"""Lists test a bounded number of rows, and know whether there are more."""

from __future__ import annotations

import pytest

from tracing.projections.sieve import sieve


@pytest.mark.parametrize(
    ("limit", "most", "found", "tested", "more"),
    [
        (2, 100, [2, 4], 4, True),
        (100, 5, [2, 4], 5, True),
        (100, 100, [2, 4, 6, 8, 10], 10, False),
        # The last row that matches ends the page and the list at once.
        (5, 100, [2, 4, 6, 8, 10], 10, False),
        (100, 10, [2, 4, 6, 8, 10], 10, False),
    ],
)
def test_a_page_ends_by_its_size_or_by_what_it_tested(
    limit: int, most: int, found: list[int], tested: int, *, more: bool
) -> None:
    page = sieve(range(1, 11), lambda number: number % 2 == 0, limit=limit, most=most)

    assert (page.found, page.tested, page.last, page.more) == (found, tested, tested, more)


def test_nothing_is_a_page_too() -> None:
    assert sieve(list[int](), bool, limit=1, most=1).last is None
