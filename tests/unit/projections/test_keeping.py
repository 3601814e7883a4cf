"""Ages and sizes as people write them."""

from __future__ import annotations

import pytest

from tracing.projections.keeping import BadAgeError, BadSizeError, parse_age, parse_size


@pytest.mark.parametrize(
    ("text", "ms"), [("90m", 5_400_000), ("36 h", 129_600_000), ("7D", 604_800_000)]
)
def test_an_age_is_a_number_and_a_unit(text: str, ms: int) -> None:
    assert parse_age(text) == ms


@pytest.mark.parametrize("text", ["", "7", "0d", "-7d", "7 years", "9999999d"])
def test_anything_else_is_no_age(text: str) -> None:
    with pytest.raises(BadAgeError):
        parse_age(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500MB", 500_000_000),
        ("1.5g", 1_500_000_000),
        ("10 GiB", 10 * 2**30),
        ("2000000", 2_000_000),
    ],
)
def test_a_size_is_a_number_and_a_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "10kB", "-1GB", "1XB"])
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(BadSizeError):
        parse_size(text)
