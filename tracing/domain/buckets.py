"""Durations in fixed logarithmic buckets: they can be added up, and nothing is forgotten."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# So many buckets from one duration to its double: a percentile is at most 9% off.
PER_OCTAVE = 4
# Two clocks that disagree.
NEGATIVE = -1


def bucket(duration_us: int) -> int:
    """Return a duration's bucket: -1 below zero, 0 below a millisecond, then four an octave."""
    if duration_us < 0:
        return NEGATIVE
    if duration_us < 1_000:
        return 0
    return 1 + math.floor(PER_OCTAVE * math.log2(duration_us / 1_000))


def percentile_ms(counts: Mapping[int, int], share: float) -> float | None:
    """Return the middle of the bucket below which `share` (0 to 1) lies; negatives left aside.

    None when nothing was counted.
    """
    counted = sorted((number, n) for number, n in counts.items() if number >= 0 and n > 0)
    wanted = share * sum(n for _, n in counted)
    for number, n in counted:
        wanted -= n
        if wanted <= 0:
            return 0.5 if number == 0 else 2 ** ((number - 0.5) / PER_OCTAVE)
    return None
