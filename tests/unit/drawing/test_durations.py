"""Durations as people say them."""

from __future__ import annotations

import pytest

from tracing.drawing.durations import duration, offset


@pytest.mark.parametrize(
    ("us", "words"),
    [
        (0, "0 ms"),
        (400, "400 µs"),
        (38_000, "38 ms"),
        (999_600, "1.0 s"),
        (1_940_000, "1.9 s"),
        (38_700_000, "39 s"),
        (123_000_000, "2 min 3 s"),
        (3_600_000_000, "1 h"),
        (187_200_000_000, "2 d 4 h"),
        (-12_000, "\N{MINUS SIGN}12 ms"),
    ],
)
def test_it_says_two_figures_that_matter(us: int, words: str) -> None:
    assert duration(us) == words


@pytest.mark.parametrize(
    ("us", "words"),
    [
        (0, "0 ms"),
        (38_000, "+38 ms"),
        (1_942_000, "+1.94 s"),
        (38_720_000, "+38.7 s"),
        (59_999_000, "+1 min"),
        (-5_000, "\N{MINUS SIGN}5 ms"),
    ],
)
def test_it_says_when_in_the_flow(us: int, words: str) -> None:
    assert offset(us) == words
