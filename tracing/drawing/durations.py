"""Durations as people say them: two figures that matter, never more."""

from __future__ import annotations

_MS = 1_000
_S = 1_000 * _MS
_UNITS = (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1))


def duration(us: int, *, fine: bool = False) -> str:
    """Return microseconds in words: `38 ms`, `1.9 s`, `2 min 3 s`, `3 h 12 min`, `2 d 4 h`.

    `fine` gives seconds one decimal more (`1.94 s`, `38.7 s`), for times that are compared with
    each other. A negative duration (two clocks that differ) keeps its sign.
    """
    if us < 0:
        return f"\N{MINUS SIGN}{duration(-us, fine=fine)}"
    if us < _MS:
        return f"{us} µs" if us else "0 ms"
    ms = round(us / _MS)
    if ms < 1_000:
        return f"{ms} ms"
    if ms < 9_950:
        return f"{ms / 1_000:.2f} s" if fine else f"{ms / 1_000:.1f} s"
    if fine and ms < 59_950:
        return f"{ms / 1_000:.1f} s"
    return _clock(round(ms / 1_000))


def _clock(seconds: int) -> str:
    for unit, size, small, small_size in _UNITS:
        if seconds >= size:
            rest = seconds % size // small_size
            return f"{seconds // size:,} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{seconds} s"


def offset(us: int) -> str:
    """Return when something happened within its flow: `0 ms` for the first, then `+38 ms`."""
    return f"+{duration(us, fine=True)}" if us > 0 else duration(us, fine=True)
