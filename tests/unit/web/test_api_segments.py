"""Scripts that stand at different places of the log share what lies between."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tracing.web.api.sockets import SEGMENT, segments


def test_two_that_have_drifted_apart_share_whole_segments() -> None:
    behind, ahead = segments(130, 1_730), segments(700, 1_730)

    assert behind == [(130, 500), (500, 1_000), (1_000, 1_500), (1_500, 1_730)]
    assert ahead == [(700, 1_000), (1_000, 1_500), (1_500, 1_730)]


@given(position=st.integers(0, 5_000), length=st.integers(1, 5_000))
def test_they_cover_what_follows_without_gap_or_overlap(position: int, length: int) -> None:
    found = segments(position, position + length)

    assert found[0][0] == position
    assert found[-1][1] == position + length
    assert all(one[1] == other[0] for one, other in pairwise(found))
    assert all(0 < end - start <= SEGMENT for start, end in found)
